import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { property, assert as propertyHolds, string } from "fast-check";
import type { StoreConfig } from "../../core/config/schema.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { capabilitiesOf, withCapabilityTable } from "../../core/stores/capability-table.ts";
import { failureOfConnection, failureOfStatus } from "../../core/stores/http-failure.ts";
import { oneAtATime } from "../../core/stores/in-turn.ts";
import { checkKey, checkPrefix, folderOfPrefix } from "../../core/stores/keys.ts";
import { parseS3Address, s3Address } from "../../core/stores/s3-connection.ts";
import { storeKinds } from "../../core/stores/store.ts";
import { addressOf, openStoreByUrl } from "../../core/stores/store-address.ts";
import { openStore } from "../../core/stores/stores.ts";
import { withinLimit } from "../../core/stores/time-limit.ts";

const never = new AbortController().signal;
const accountKey = Buffer.from("a secret account key").toString("base64");
const connectionString = `DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=${accountKey};EndpointSuffix=core.windows.net`;
const sas = "sv=2026-01-01&sig=c2VjcmV0LXNpZ25hdHVyZQ%3D%3D";
const wallet = JSON.stringify(generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({ format: "jwk" }));
const privateKey = `0x${"5e".repeat(32)}`;
const base = { name: "s", domain: "d" };
const configs: StoreConfig[] = [
  { kind: "directory", ...base, path: "/var/backups/db gov" },
  { kind: "azure-blob", ...base, connection: connectionString, container: "backups" },
  { kind: "azure-blob", ...base, connection: `https://acme.blob.core.windows.net/backups?${sas}`, container: "backups" },
  { kind: "azure-blob", ...base, connection: `http://127.0.0.1:10000/dev/backups?${sas}`, container: "backups" },
  {
    kind: "ipfs",
    ...base,
    peers: [
      { name: "a", api: "http://10.0.0.1:5001", token: "secret-token" },
      { name: "b", api: "https://b.example/" },
    ],
    folder: "/dbgov",
  },
  { kind: "arweave", ...base, gateway: "https://arweave.net", otherGateways: [], confirmations: 10, wallet, maxWinston: "1" },
  { kind: "filecoin", ...base, network: "calibration", dataSet: "acme", copies: 2, wallet: privateKey, maxDeposit: "1" },
];
const s3 = { kind: "s3", ...base, region: "us-east-1", prefix: "", accessKeyId: "AKIA", secretAccessKey: "secret-access-key" } as const;
const s3Configs: [StoreConfig, address: string][] = [
  [{ ...s3, bucket: "backups" }, "s3://backups"],
  [{ ...s3, bucket: "backups", prefix: "acme/db", region: "eu-central-1" }, "s3://backups/acme/db?region=eu-central-1"],
  [{ ...s3, bucket: "b.s", pathStyle: true }, "s3://b.s?pathStyle=true"],
  [{ ...s3, bucket: "backups", endpoint: "http://[::1]:9000/", pathStyle: true }, "s3://backups?endpoint=http://[::1]:9000"],
  [
    {
      ...s3,
      bucket: "backups",
      region: "eu1",
      endpoint: "https://gateway.storjshare.io",
      pathStyle: false,
      sessionToken: "secret-session",
    },
    "s3://backups?region=eu1&endpoint=https://gateway.storjshare.io&pathStyle=false",
  ],
];
const secrets = [
  "secret-access-key",
  "secret-session",
  accountKey,
  "c2VjcmV0",
  "secret-token",
  privateKey,
  (JSON.parse(wallet) as { d: string }).d,
];

describe("store addresses", () => {
  test("hold no secret, and open the store again", async () => {
    const env = { AZURE_STORAGE_CONNECTION_STRING: connectionString };
    assert.deepEqual(configs.map(addressOf).slice(0, 5), [
      "/var/backups/db gov",
      "https://acme.blob.core.windows.net/backups",
      "https://acme.blob.core.windows.net/backups",
      "http://127.0.0.1:10000/dev/backups",
      "ipfs+http://10.0.0.1:5001/dbgov,ipfs+https://b.example/dbgov",
    ]);
    assert.match(addressOf(configs.at(-1)!), /^filecoin:\/\/calibration\/0x[0-9a-fA-F]{40}\/acme$/);
    for (const config of configs) {
      const address = addressOf(config);
      for (const secret of secrets) assert.ok(!address.includes(secret));
      assert.equal((await openStore(config)).kind, config.kind);
      if (address.startsWith("http://")) continue;
      assert.equal(openStoreByUrl(address, env).kind, config.kind);
    }
  });

  test("of S3 say bucket, prefix, region, endpoint and style, and nothing that is so by default", async () => {
    const env = { AWS_ACCESS_KEY_ID: "AKIA", AWS_SECRET_ACCESS_KEY: "secret-access-key", AWS_SESSION_TOKEN: "secret-session" };
    for (const [config, address] of s3Configs) {
      assert.equal(addressOf(config), address);
      assert.equal((await openStore(config)).kind, "s3");
      assert.equal(openStoreByUrl(address, env).kind, "s3");
      const { endpoint, ...place } = { endpoint: undefined, pathStyle: undefined, ...config } as unknown as Record<
        string,
        string | undefined
      >;
      const parsed = parseS3Address(address)!;
      assert.deepEqual(
        [parsed.bucket, parsed.prefix, parsed.region, parsed.endpoint],
        [place.bucket, place.prefix, place.region, endpoint?.replace(/\/$/, "")],
      );
      assert.equal(s3Address(parsed), address);
    }
    for (const keys of [{}, { AWS_ACCESS_KEY_ID: "AKIA" }, { ...env, AWS_SECRET_ACCESS_KEY: "" }]) {
      assert.throws(
        () => openStoreByUrl("s3://backups", keys),
        (error) => isFailure(error, "SecretMissing"),
      );
    }
  });

  test("that are none are refused with one sentence", () => {
    for (const address of [
      "",
      "s3://",
      "s3:/bucket",
      "s3://key:secret@bucket",
      "s3://bucket?endpoint=ftp://h",
      "s3://bucket?endpoint=https://h/path",
      "s3://bucket?pathStyle=perhaps",
      "s3://bucket?region=eu1&other=1",
      "gs://bucket",
      "https://acme.blob.core.windows.net",
      "ipfs+ftp://h",
      "ipfs+nothing",
      "arweave+https://g",
      "arweave+https://g/short",
      "file://other-host/x",
    ]) {
      assert.throws(
        () => openStoreByUrl(address, { AZURE_STORAGE_CONNECTION_STRING: connectionString }),
        (error) => isFailure(error, "UsageInvalid"),
        address,
      );
    }
    assert.throws(
      () => openStoreByUrl("https://acme.blob.core.windows.net/c", {}),
      (error) => isFailure(error, "SecretMissing"),
    );
    const other = { AZURE_STORAGE_CONNECTION_STRING: connectionString };
    assert.throws(
      () => openStoreByUrl("https://other.blob.core.windows.net/c", other),
      (error) => isFailure(error, "UsageInvalid"),
    );
  });

  test("a relative path starts where the command does", () => {
    assert.equal(openStoreByUrl("backups/here", {}).kind, "directory");
    assert.equal(openStoreByUrl("file:///var/backups", {}).kind, "directory");
  });
});

describe("store configurations that cannot work", () => {
  const wrong: [string, StoreConfig][] = [
    ["no connection string", { kind: "azure-blob", ...base, connection: `AccountKey=${accountKey}`, container: "backups" }],
    ["no URL", { kind: "azure-blob", ...base, connection: `https://${accountKey}:x:y`, container: "backups" }],
    [
      "another container",
      { kind: "azure-blob", ...base, connection: `https://acme.blob.core.windows.net/other?${sas}`, container: "backups" },
    ],
    ["password in the URL", { kind: "ipfs", ...base, peers: [{ name: "a", api: "http://me:secret-token@h:5001" }], folder: "/dbgov" }],
    ["no http", { kind: "ipfs", ...base, peers: [{ name: "a", api: "ftp://h" }], folder: "/dbgov" }],
    ["no endpoint", { ...s3, bucket: "backups", endpoint: "ftp://h" }],
    ["a path in the endpoint", { ...s3, bucket: "backups", endpoint: "https://h/backups" }],
    ["password in the endpoint", { ...s3, bucket: "backups", endpoint: "https://me:secret-access-key@h" }],
    [
      "no wallet",
      { kind: "arweave", ...base, gateway: "https://g", otherGateways: [], confirmations: 10, wallet: accountKey, maxWinston: "1" },
    ],
    ["no gateway", { kind: "arweave", ...base, gateway: "g", otherGateways: [], confirmations: 10, wallet, maxWinston: "1" }],
    ["no private key", { kind: "filecoin", ...base, network: "mainnet", dataSet: "acme", copies: 2, wallet: accountKey, maxDeposit: "1" }],
  ];
  for (const [name, config] of wrong) {
    test(`${name}: ConfigurationInvalid, without the secret`, async () => {
      await assert.rejects(
        async () => await openStore(config),
        (error) => {
          assert.ok(isFailure(error, "ConfigurationInvalid"), inspect(error));
          for (const secret of secrets) assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes(secret));
          return true;
        },
      );
    });
  }

  test("an account URL with a SAS gets the container appended", () => {
    for (const [connection, address] of [
      [`https://acme.blob.core.windows.net/?${sas}`, "https://acme.blob.core.windows.net/backups"],
      [`http://127.0.0.1:10000/dev?${sas}`, "http://127.0.0.1:10000/dev/backups"],
    ] as const) {
      assert.equal(addressOf({ kind: "azure-blob", ...base, connection, container: "backups" }), address);
    }
  });
});

describe("keys", () => {
  const accepts = (key: string): boolean => {
    try {
      checkKey(key);
      return true;
    } catch (error) {
      assert.ok(isFailure(error, "UsageInvalid"));
      return false;
    }
  };

  test("whatever is accepted stays inside the store, and its beginnings are accepted as prefixes", () => {
    void propertyHolds(
      property(string({ unit: "binary", maxLength: 40 }), (key) => {
        if (!accepts(key)) return;
        const path = new URL(`file:///base/${key.split("/").map(encodeURIComponent).join("/")}`).pathname;
        assert.ok(path.startsWith("/base/") && path !== "/base/");
        checkPrefix(key);
        checkPrefix(`${key}/`);
        checkPrefix(key.split("/")[0]!);
      }),
    );
  });

  test("traversal is refused wherever it stands", () => {
    for (const key of ["..", "../x", "x/..", "x/../y", "/x", "x//y", "x/./y"]) assert.ok(!accepts(key), key);
    for (const key of ["..x", "x..y", "x/.y", ".x"]) assert.ok(accepts(key), key);
    for (const prefix of ["..", "../", "x/../", "/"]) {
      assert.throws(
        () => checkPrefix(prefix),
        (error) => isFailure(error, "UsageInvalid"),
      );
    }
  });

  test("the folder of a prefix", () => {
    assert.deepEqual(["", "ma", "packs/", "packs/a", "a/b/c"].map(folderOfPrefix), ["", "", "packs", "packs", "a/b"]);
  });
});

describe("time limit", () => {
  const what = 'store "s": put of k';
  const untilStopped = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("library noise")), { once: true }));

  test("silence is StoreUnreachable, also when the work never notices", async () => {
    const silent = withinLimit({ what, signal: never, ms: 20 }, untilStopped);
    await assert.rejects(silent, (error) => isFailure(error, "StoreUnreachable") && error.message === `${what}: no answer within 20 ms`);
    await assert.rejects(
      withinLimit({ what, signal: never, ms: 1 }, () => new Promise(() => {})),
      (error) => isFailure(error, "StoreUnreachable"),
    );
  });

  test("progress keeps it alive", async () => {
    const result = await withinLimit({ what, signal: never, ms: 60 }, async (_, progressed) => {
      for (let step = 0; step < 10; step += 1) {
        await new Promise((resolve) => setTimeout(resolve, 15));
        progressed();
      }
      return "done";
    });
    assert.equal(result, "done");
  });

  test("the caller's abort throws the caller's reason; errors of the work pass", async () => {
    const stop = new AbortController();
    const reason = new Error("cancelled");
    const work = withinLimit({ what, signal: stop.signal, ms: 10_000 }, untilStopped);
    stop.abort(reason);
    await assert.rejects(work, (error) => error === reason);
    await assert.rejects(
      withinLimit({ what, signal: stop.signal, ms: 10_000 }, async () => 1),
      (error) => error === reason,
    );
    const own = new Failure("StoreFull", "full");
    await assert.rejects(
      withinLimit({ what, signal: never, ms: 10_000 }, () => Promise.reject(own)),
      (error) => error === own,
    );
  });
});

describe("one at a time", () => {
  test("same key in order, other keys at once, failures and aborts do not block", async () => {
    const inTurn = oneAtATime();
    const seen: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = inTurn("k", never, async () => {
      await gate.promise;
      seen.push("first");
      throw new Error("first fails");
    });
    const stop = new AbortController();
    const second = inTurn("k", stop.signal, async () => void seen.push("second"));
    const third = inTurn("k", never, async () => void seen.push("third"));
    await inTurn("other", never, async () => void seen.push("other"));
    stop.abort(new Error("stopped"));
    await assert.rejects(second, /stopped/);
    assert.deepEqual(seen, ["other"]);
    gate.resolve();
    await assert.rejects(first, /first fails/);
    await third;
    assert.deepEqual(seen, ["other", "first", "third"]);
  });
});

describe("failures of HTTP", () => {
  test("statuses become types, connections name their code, secrets stay out of causes", () => {
    const type = (status: number): string => failureOfStatus("w", status, "", undefined).type;
    assert.deepEqual([400, 401, 403, 404, 408, 409, 410, 412, 429, 500, 503, 507].map(type), [
      ...["StoreRejected", "StoreRejected", "StoreRejected", "ObjectMissing", "StoreUnreachable", "StoreRejected"],
      ...["ObjectMissing", "StoreRejected", "StoreUnreachable", "StoreUnreachable", "StoreUnreachable", "StoreFull"],
    ]);
    const inner = Object.assign(new Error("connect 10.0.0.1 sig=abc"), { code: "ECONNREFUSED" });
    const failure = failureOfConnection("w", new TypeError("fetch failed https://h/?sig=abc", { cause: inner }));
    assert.equal(failure.message, "w: ECONNREFUSED");
    assert.ok(!inspect(failure, { depth: 9, showHidden: true }).includes("sig="));
  });
});

describe("docs/stores.md", () => {
  const page = readFileSync(new URL("../../docs/stores.md", import.meta.url), "utf8");

  test("has the capabilities that the code has", () => {
    assert.equal(page, withCapabilityTable(page), "run: node core/stores/capability-table.ts");
    assert.deepEqual(Object.keys(capabilitiesOf), [...storeKinds]);
  });

  test("a table that is out of date, or lost, is noticed", () => {
    assert.notEqual(page.replace("10 MiB", "11 MiB"), withCapabilityTable(page.replace("10 MiB", "11 MiB")));
    assert.throws(() => withCapabilityTable("# Stores"));
  });
});
