import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
} from "@aws-sdk/client-s3";
import type { StoreConfig } from "../../core/config/schema.ts";
import type { FailureType } from "../../core/domain/failure.ts";
import { openS3Store } from "../../core/stores/s3.ts";
import { s3Client } from "../../core/stores/s3-connection.ts";
import type { Store, StoreOptions } from "../../core/stores/store.ts";
import { addressOf, openStoreByUrl } from "../../core/stores/store-address.ts";
import { useStack } from "../stack/use-stack.ts";
import { badLine, refusingS3, scriptedS3 } from "./s3-bad-services.ts";
import { bucketForTests } from "./s3-bucket.ts";
import { storeContract } from "./store-contract.ts";
import { all, fails, keysOf, never } from "./store-expectations.ts";
import { meddlingProxy } from "./store-servers.ts";

const { s3 } = await useStack("s3");
const { endpoint, ...credentials } = s3;
const { bucket, admin } = await bucketForTests(s3, "stores");

type S3Config = Extract<StoreConfig, { kind: "s3" }>;
const configOf = (changes: Partial<S3Config>): S3Config => {
  const place = { bucket, prefix: randomUUID(), region: "us-east-1", endpoint };
  return { kind: "s3", name: "bucket", domain: "s3", ...place, ...credentials, ...changes };
};
const open = (changes: Partial<S3Config> = {}, options?: StoreOptions): Store => openS3Store(configOf(changes), options);
const everyCall = (store: Store): (() => Promise<unknown>)[] => [
  () => store.put("a", randomBytes(1), never),
  () => store.get("a", never),
  () => store.get("a", never, { offset: 0, length: 1 }),
  () => store.stat("a", never),
  () => all(store.list("", never)),
  () => store.delete("a", never),
  () => store.probe(never),
];

describe("S3 store", () => {
  storeContract({
    open: async (options) => open({}, options),
    openAt: async (url, options) => open({ endpoint: url }, options),
    secrets: [credentials.secretAccessKey],
    listed: 200,
    large: 9 << 20,
  });

  test("a wrong key and a wrong secret are StoreRejected with what to look at, and are not repeated", async () => {
    for (const wrong of [{ accessKeyId: "nobody" }, { secretAccessKey: "wrong-secret" }]) {
      for (const call of everyCall(open(wrong))) await fails(call(), "StoreRejected", [credentials.secretAccessKey, "wrong-secret"]);
      const failure = await fails(open(wrong).get("a", never), "StoreRejected");
      assert.match(failure.message, /^store "bucket" \(s3:.*\): get of a: the access key or its secret is wrong \(\w+\)$/);
    }
  });

  test("a bucket that does not exist is StoreUnreachable in every call, and is not made", async () => {
    const bucket = `missing-${randomUUID()}`;
    for (const again of [1, 2]) {
      for (const call of everyCall(open({ bucket }))) {
        assert.match((await fails(call(), "StoreUnreachable")).message, /the bucket does not exist/, `round ${again}`);
      }
    }
  });

  test("two prefixes of one bucket do not see each other, nor what is no object of theirs", async () => {
    const [prefix, key] = [randomUUID(), "packs/a"];
    const [one, two] = [open({ prefix }), open({ prefix: `${prefix}-two/deeper` })];
    await one.put(key, Buffer.from("one"), never);
    await two.put(key, Buffer.from("second"), never);
    await admin.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}/packs/`, Body: new Uint8Array() }));
    assert.deepEqual(await keysOf(one, ""), [key]);
    assert.equal((await two.stat(key, never))?.bytes, 6);
    await two.delete(key, never);
    assert.equal(Buffer.from(await one.get(key, never)).toString(), "one");
  });

  test("recovery opens it by its address and the keys in the environment", async () => {
    const prefix = `${randomUUID()}/deep`;
    await open({ prefix }).put("config", Buffer.from("{}"), never);
    const env = { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey };
    const address = addressOf(configOf({ prefix }));
    assert.equal(address, `s3://${bucket}/${prefix}?endpoint=${endpoint}`);
    assert.equal(Buffer.from(await openStoreByUrl(address, env).get("config", never)).toString(), "{}");
    await fails(openStoreByUrl(address.replace(bucket, `${bucket}x`), env).stat("config", never), "StoreUnreachable");
  });

  test("neither the environment nor a profile sends it elsewhere", async () => {
    const folder = await mkdtemp(join(tmpdir(), "dbgov-s3-profile-"));
    await writeFile(join(folder, "config"), "[default]\nendpoint_url = http://127.0.0.1:1\ns3 =\n  addressing_style = path\n");
    const before = { ...process.env };
    const elsewhere = {
      AWS_CONFIG_FILE: join(folder, "config"),
      AWS_ENDPOINT_URL: "http://127.0.0.1:1",
      AWS_REGION: "nowhere-1",
      AWS_USE_FIPS_ENDPOINT: "true",
      AWS_USE_DUALSTACK_ENDPOINT: "true",
      AWS_REQUEST_CHECKSUM_CALCULATION: "WHEN_SUPPORTED",
    };
    Object.assign(process.env, elsewhere);
    try {
      await open().probe(never);
      const { endpoint: _, ...aws } = { ...configOf({ region: "eu-central-1" }), bucket: "backups" };
      for (const [pathStyle, host] of [
        [false, "backups.s3.eu-central-1.amazonaws.com"],
        [true, "s3.eu-central-1.amazonaws.com"],
      ] as const) {
        const client = s3Client({ ...aws, pathStyle });
        const hosts: unknown[] = [];
        client.middlewareStack.add(
          () =>
            async ({ request }) => {
              hosts.push((request as { hostname?: unknown }).hostname);
              throw new Error("far enough");
            },
          { step: "deserialize", priority: "low" },
        );
        await assert.rejects(client.send(new ListObjectsV2Command({ Bucket: "backups" })), /far enough/);
        assert.deepEqual(hosts, [host]);
      }
    } finally {
      for (const name of Object.keys(elsewhere)) {
        delete process.env[name];
        if (before[name] !== undefined) process.env[name] = before[name];
      }
      await rm(folder, { recursive: true });
    }
  });

  test("bytes that change on the way are refused, and nothing is stored", async () => {
    for (const size of [1_000, 20 << 20]) {
      await using proxy = await meddlingProxy(endpoint, {
        sent: ({ method }, body) => {
          if (method === "PUT") body[500] = body[500]! ^ 1;
          return body;
        },
      });
      const store = open({ endpoint: proxy.url });
      const failure = await fails(store.put("packs/flipped", randomBytes(size), never), "StoreUnreachable");
      assert.match(failure.message, /the upload arrived damaged/);
      assert.equal(await store.stat("packs/flipped", never), undefined);
    }
  });

  test("an object is sent as it is: one request, no trailer, MD5 and SHA-256 with it", async () => {
    const sent: IncomingMessage[] = [];
    const bytes = randomBytes(9 << 20);
    await using proxy = await meddlingProxy(endpoint, {
      sent: (incoming, body) => {
        if (incoming.method === "PUT") sent.push(incoming);
        return body;
      },
    });
    await open({ endpoint: proxy.url }).put("packs/plain", bytes, never);
    assert.equal(sent.length, 1);
    const { headers } = sent[0]!;
    assert.equal(headers["content-md5"], createHash("md5").update(bytes).digest("base64"));
    assert.equal(headers["x-amz-content-sha256"], createHash("sha256").update(bytes).digest("hex"));
    assert.equal(headers["content-length"], String(bytes.length));
    for (const name of ["content-encoding", "transfer-encoding", "x-amz-trailer", "x-amz-sdk-checksum-algorithm", "expect"])
      assert.equal(headers[name], undefined, name);
  });

  test("an answer that breaks off, or stops without an end, is StoreUnreachable; the next is good", async () => {
    const prefix = randomUUID();
    const bytes = randomBytes(1 << 20);
    await open({ prefix }).put("packs/cut", bytes, never);
    for (const then of ["close", "silence"] as const) {
      await using line = await badLine(endpoint, { answer: { bytes: 50_000, then } });
      const store = open({ prefix, endpoint: line.url }, { silenceMs: 1_500 });
      await fails(store.get("packs/cut", never), "StoreUnreachable");
      assert.ok(bytes.equals(await store.get("packs/cut", never)), then);
    }
  });

  test("an upload that stalls is StoreUnreachable after the silence; one that is slow is not", async () => {
    const bytes = randomBytes(40 << 20);
    const silenceMs = 1_500;
    const through = async (sentPerTick: number): Promise<number> => {
      await using line = await badLine(endpoint, { sentPerTick });
      const start = performance.now();
      await open({ endpoint: line.url }, { silenceMs }).put("packs/slow", bytes, never);
      return performance.now() - start;
    };
    await fails(through(0), "StoreUnreachable");
    assert.ok((await through(2 << 20)) > silenceMs, "the upload was not slow");
  });

  test("a service that takes no notice of a range, stores something else, or lists for ever, is found out", async () => {
    await using ranges = await scriptedS3(200, randomBytes(1_000));
    const whole = open({ endpoint: ranges.url });
    assert.equal((await whole.get("packs/r", never)).length, 1_000);
    assert.match(
      (await fails(whole.put("packs/r", randomBytes(10), never), "ObjectCorrupt")).message,
      /1000 bytes of the 10 that were sent/,
    );
    for (const offset of [0, 10]) {
      assert.match((await fails(whole.get("packs/r", never, { offset, length: 10 }), "StoreRejected")).message, /did not send the range/);
    }

    await using pages = await meddlingProxy(endpoint, {
      // Of the same length, for the header's sake.
      received: (_, body) => Buffer.from(body.toString().replace("<IsTruncated>false</IsTruncated>", "<IsTruncated>true</IsTruncated >")),
    });
    const failure = await fails(all(open({ endpoint: pages.url }).list("", never)), "StoreRejected");
    assert.match(failure.message, /there is more/);
  });

  test("what services say is told in their words and ours", async () => {
    const cases: [number, string, FailureType, RegExp, times: number][] = [
      [503, "SlowDown", "StoreUnreachable", /the server answered 503 \(SlowDown\)$/, 3],
      [500, "InternalError", "StoreUnreachable", /answered 500 \(InternalError\)$/, 3],
      [429, "TooManyRequests", "StoreUnreachable", /answered 429/, 3],
      [404, "NoSuchBucket", "StoreUnreachable", /the bucket does not exist/, 1],
      [403, "RequestTimeTooSkewed", "StoreRejected", /clocks of this machine and of the service differ/, 1],
      [403, "AccessDenied", "StoreRejected", /answered 403 \(AccessDenied\)$/, 1],
      [403, "StorageLimitExceeded", "StoreFull", /quota is used up/, 1],
      [403, "InvalidObjectState", "StoreRejected", /archive class/, 1],
      [400, "AuthorizationHeaderMalformed", "StoreRejected", /in another region/, 1],
      [400, "BadDigest", "StoreUnreachable", /arrived damaged/, 1],
      [507, "XMinioStorageFull", "StoreFull", /quota is used up/, 1],
    ];
    for (const [status, code, type, words, times] of cases) {
      await using server = await refusingS3(status, code);
      const failure = await fails(open({ endpoint: server.url }).put("a", randomBytes(10), never), type, [credentials.secretAccessKey]);
      assert.match(failure.message, words);
      assert.equal(server.asked(), times, code);
    }
  });

  test("a clock that is five hours off does not matter: the time is taken from the service", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() - 5 * 3_600_000 });
    const store = open();
    await store.put("packs/late", Buffer.from("late"), never);
    assert.equal((await store.get("packs/late", never)).length, 4);
  });

  test("in a bucket that keeps versions, what is deleted is gone in all of them; what is locked stays, and can be seen", async () => {
    const Bucket = `locked-${randomUUID()}`;
    await admin.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    const store = open({ bucket: Bucket, prefix: "" });
    const versions = async (): Promise<number> => {
      const { Versions = [], DeleteMarkers = [] } = await admin.send(new ListObjectVersionsCommand({ Bucket }));
      return Versions.length + DeleteMarkers.length;
    };
    for (const text of ["one", "two", "three"]) await store.put("log/checkpoint", Buffer.from(text), never);
    await store.put("log/checkpoint.more", Buffer.from("another key"), never);
    assert.equal(await versions(), 4);
    await store.delete("log/checkpoint", never);
    assert.equal(await versions(), 1);
    assert.deepEqual(await keysOf(store, ""), ["log/checkpoint.more"]);

    const until = new Date(Date.now() + 4_000);
    const Key = "log/checkpoint.more";
    await store.protect!(Key, until, never);
    await store.protect!(Key, new Date(until.getTime() - 2_000), never);
    const retained = await fails(store.delete(Key, never), "StoreRetained");
    assert.equal(Date.parse(retained.details.until ?? ""), Math.floor(until.getTime() / 1_000) * 1_000);
    assert.equal((await store.stat(Key, never))?.bytes, 11, "what is retained can still be seen");
    // As deletions leave it that are killed behind their marker.
    for (let killed = 0; killed < 2; killed += 1) await admin.send(new DeleteObjectCommand({ Bucket, Key }));
    assert.equal(await store.stat(Key, never), undefined);
    await fails(store.delete(Key, never), "StoreRetained");
    assert.equal((await store.stat(Key, never))?.bytes, 11, "the next deletion shows it again");
    await store.legalHold!(Key, true, never);
    assert.match((await fails(store.delete(Key, never), "StoreRetained")).message, /a legal hold is on the object$/);
    while (new Date() < until) await pause(until.getTime() - Date.now() + 50);
    await fails(store.delete(Key, never), "StoreRetained");
    await store.legalHold!(Key, false, never);
    await store.delete(Key, never);
    assert.equal(await versions(), 0);
    await admin.send(new DeleteBucketCommand({ Bucket }));
  });

  test("a lock that some may shorten becomes one that nobody may, and keeps its date", async () => {
    const Bucket = `governed-${randomUUID()}`;
    await admin.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    const store = open({ bucket: Bucket, prefix: "" });
    const Key = "packs/governed";
    await store.put(Key, Buffer.from("sealed"), never);
    const later = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 4_000);
    await admin.send(new PutObjectRetentionCommand({ Bucket, Key, Retention: { Mode: "GOVERNANCE", RetainUntilDate: later } }));
    await store.protect!(Key, new Date(Date.now() + 1_000), never);
    const { Retention } = await admin.send(new GetObjectRetentionCommand({ Bucket, Key }));
    assert.deepEqual([Retention?.Mode, Retention?.RetainUntilDate], ["COMPLIANCE", later]);
    while (new Date() <= later) await pause(later.getTime() - Date.now() + 50);
    await store.delete(Key, never);
    await admin.send(new DeleteBucketCommand({ Bucket }));
  });

  test("a lock in a bucket that takes none is StoreRejected", async () => {
    const store = open();
    await store.put("packs/a", Buffer.from("a"), never);
    await fails(store.protect!("packs/a", new Date(Date.now() + 60_000), never), "StoreRejected");
    await store.delete("packs/a", never);
  });
});
