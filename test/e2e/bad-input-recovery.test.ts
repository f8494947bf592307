import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ensureKeyring } from "../../core/repository/keyring.ts";
import { generateRecipient } from "../../core/repository/keys.ts";
import { writeRecoveryKit } from "../../core/repository/recovery-kit.ts";
import { signerFromSeed } from "../../core/repository/signing.ts";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import { secretsOf } from "../sample/secrets.ts";
import { createDatabase, createTestSite, databaseOf, runSql } from "../sample/test-site.ts";
import { type ExpectedFailure, openCli, type WatchedCli } from "../sample/watched-cli.ts";
import { useStack } from "../stack/use-stack.ts";

const unknownSnapshot = "20200101T000000Z-0123456789ab";

/** What can be wrong with a store, a kit and a target, and that nothing is written where it is. */
describe("bad input: recovery", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let folder: string;
  let source: string;
  let target: string;
  let cli: WatchedCli;
  let snapshot: string;
  /** Whole; each case spoils a copy of its own. */
  const good = { store: "good-store", kit: "good-kit" };

  before(async () => {
    stack = await startStack();
    folder = await mkdtemp(join(tmpdir(), "dbgov bad recovery "));
    source = await createDatabase(stack, "bad_recovery_source");
    await runSql(source, "CREATE TABLE orders AS SELECT n, md5(n::text) AS text FROM generate_series(1, 500) n");
    const test = await createTestSite({
      name: "bad-recovery",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: { stores: [], copies: 1, domains: 1, archive: [] },
      change: (config) => {
        config.anchors = [];
      },
    });
    try {
      await test.worker();
      snapshot = (await test.backup("shop")).snapshot;
      assert.equal((await test.dbgov("keys", "kit")).code, 0);
      await cp(join(dirname(test.config), "recovery-kit"), join(folder, good.kit), { recursive: true });
      await cp(join(dirname(test.config), "store"), join(folder, good.store), { recursive: true });
      const { PATH, HOME } = process.env;
      const secrets = [...(await secretsOf(test)).values(), "some-Passw0rd-3"];
      cli = openCli({ cwd: folder, env: { PATH, HOME, DBGOV_PG_BIN: stack.postgres.bin }, secrets });
    } finally {
      await test.close();
    }
    target = await createDatabase(stack, "bad_recovery_target");
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
    for (const url of [source, target]) await runSql(stack.postgres.url, `DROP DATABASE IF EXISTS "${databaseOf(url)}" WITH (FORCE)`);
  });

  let copies = 0;
  const copyOf = async (what: keyof typeof good): Promise<string> => {
    copies += 1;
    const copy = `${what}-${copies}`;
    await cp(join(folder, good[what]), join(folder, copy), { recursive: true });
    return copy;
  };
  const tables = () => runSql(target, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace");
  const recover = (
    { store = good.store, kit = good.kit, which = "latest", database = "shop", to = target },
    ...more: string[]
  ): string[] => [...["recover", "--store", store, "--kit", kit, "--snapshot", which, "--database", database, "--to", to], ...more];
  const refuses = async (expected: ExpectedFailure, given: Parameters<typeof recover>[0]): Promise<void> => {
    await cli.fails(expected, ...recover(given));
    assert.deepEqual(await tables(), [], "nothing is written");
  };

  describe("kits", () => {
    const changeKit = async (change: (kit: Record<string, unknown>) => void): Promise<string> => {
      const kit = await copyOf("kit");
      const path = join(folder, kit, "kit.json");
      const content = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
      change(content);
      await writeFile(path, JSON.stringify(content));
      return kit;
    };
    const changeKeyring = async (keep: (line: string) => boolean): Promise<string> => {
      const kit = await copyOf("kit");
      const path = join(folder, kit, "keyring/shop.jsonl");
      const lines = (await readFile(path, "utf8")).split("\n");
      await writeFile(path, lines.filter(keep).join("\n"));
      return kit;
    };

    it("a recovery key that is another's", async () => {
      const { secretText } = await generateRecipient();
      const kit = await changeKit((content) => {
        content.secret = secretText;
      });
      await refuses({ code: 5, type: "WrongKey", message: /is not sealed to recipient [0-9a-f]{16}, whose key was given/ }, { kit });
    });

    it("a recovery key that was mistyped", async () => {
      const kit = await changeKit((content) => {
        content.secret = String(content.secret).slice(0, -9);
      });
      await refuses({ code: 5, type: "WrongKey", message: /is not a dbgov-secret-1:… key of 32 bytes/ }, { kit });
    });

    it("the kit of another organization", async () => {
      const { secretText } = await generateRecipient();
      const { publicKey } = signerFromSeed("7".repeat(64));
      const content = {
        organization: "umbrella",
        generatedAt: new Date().toISOString(),
        secretText,
        stores: [],
        signingKeys: [{ publicKey }],
      };
      await writeRecoveryKit(join(folder, "other-kit"), { ...content, log: { origin: "umbrella.example/dbgov", publicKey } });
      await ensureKeyring(join(folder, "other-kit"));
      const message = /^manifest .* is signed by key [0-9a-f]{16}, which is not trusted by the kit of umbrella$/;
      await refuses({ code: 5, type: "VerificationFailed", message }, { kit: "other-kit" });
    });

    it("a keyring without the manifest's envelope", async () => {
      const kit = await changeKeyring((line) => !line.includes(snapshot));
      await refuses({ code: 5, type: "EnvelopeMissing", message: new RegExp(`no envelope for the manifest ${snapshot}`) }, { kit });
    });

    it("a keyring without the envelope of one range, which is noticed before anything is written", async () => {
      let ranges = 0;
      const kit = await changeKeyring((line) => !line.includes('"range"') || ranges++ > 0);
      await refuses({ code: 5, type: "EnvelopeMissing", message: /no envelope for the range [0-9a-f]{64}, .* \(a part of .*\)$/ }, { kit });
    });

    it("a keyring that was cut off", async () => {
      const kit = await copyOf("kit");
      await truncate(join(folder, kit, "keyring/shop.jsonl"), 700);
      await refuses({ code: 5, type: "ObjectCorrupt", message: /keyring\/shop\.jsonl, line 1 is not JSON/ }, { kit });
    });

    it("no kit, or no JSON", async () => {
      await refuses({ code: 2, type: "UsageInvalid", message: /nowhere.* cannot be read \(ENOENT\)/ }, { kit: "nowhere" });
      await writeFile(join(folder, "kit.json"), "{");
      await refuses({ code: 5, type: "ObjectCorrupt", message: /kit\.json is not JSON/ }, { kit: "kit.json" });
    });
  });

  describe("stores", () => {
    /** The files of one kind in a store, the largest first. */
    const objects = async (store: string, kind: string): Promise<string[]> => {
      const names = await readdir(join(folder, store, kind), { recursive: true, withFileTypes: true });
      return names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    };
    const spoilEach = async (kind: string, spoil: (path: string) => Promise<void>): Promise<string> => {
      const store = await copyOf("store");
      const paths = await objects(store, kind);
      assert.ok(paths.length > 0);
      for (const path of paths) await spoil(path);
      return store;
    };
    const flip = async (path: string): Promise<void> => {
      const bytes = await readFile(path);
      bytes[bytes.length >> 1]! ^= 1;
      await writeFile(path, bytes);
    };
    const cut = async (path: string): Promise<void> => truncate(path, (await readFile(path)).length >> 1);

    for (const [kind, name] of [
      ["packs", "pack"],
      ["ranges", "range"],
      ["manifests", "manifest"],
    ] as const) {
      for (const [how, spoil] of [
        ["altered", flip],
        ["truncated", cut],
      ] as const) {
        it(`a ${name} that was ${how}`, async () => {
          const store = await spoilEach(kind, spoil);
          const expected: ExpectedFailure = { code: 5, type: "ObjectCorrupt", message: new RegExp(`${name}s?[ /].*[0-9a-f]{12}`) };
          if (kind !== "packs" || spoil !== flip) return await refuses(expected, { store });
          // One bit inside the rows' chunks is found when it is read.
          const written = {
            ...expected,
            message:
              /^pack [0-9a-f]{64} was altered: .*; the target holds an incomplete restore, which the same command with --resume completes, or with --replace does anew$/,
          };
          await cli.fails(written, ...recover({ store }));
          const { code, json } = await cli.json(...recover({}, "--replace"));
          assert.deepEqual([code, json.identical], [0, true]);
          await createSampleDatabase(stack.postgres.url, databaseOf(target));
        });
      }
      it(`a ${name} that is missing`, async () => {
        const store = await spoilEach(kind, (path) => rm(path));
        const expected: ExpectedFailure =
          kind === "manifests"
            ? { code: 4, type: "SnapshotUnknown", message: /the store has no snapshot of shop that this kit opens; it has those of: none/ }
            : { code: 5, type: "ObjectMissing", message: new RegExp(`${kind}/[0-9a-f]{2}/[0-9a-f]{64}`) };
        await refuses(expected, { store });
      });
    }

    it("an altered manifest does not stand before an older snapshot that is good", async () => {
      const store = await copyOf("store");
      const newer = join(folder, store, "manifests", "20991231T000000Z-0123456789ab");
      await writeFile(newer, await readFile(join(folder, store, "manifests", snapshot)));
      const { code, json } = await cli.json(...recover({ store }));
      assert.deepEqual([code, json.snapshot, json.identical], [0, snapshot, true]);
      await createSampleDatabase(stack.postgres.url, databaseOf(target));
      const listed = await cli.json("recover", "--store", store, "--kit", good.kit, "--list");
      assert.deepEqual(
        listed.json.snapshots.map((row: { snapshot: string; problem?: string }) => [row.snapshot, row.problem === undefined]),
        [
          ["20991231T000000Z-0123456789ab", false],
          [snapshot, true],
        ],
      );
    });

    it("a manifest of a newer format", async () => {
      const store = await spoilEach("manifests", async (path) => {
        const manifest = JSON.parse(await readFile(path, "utf8")) as { version: number };
        await writeFile(path, JSON.stringify({ ...manifest, version: 2 }));
      });
      await refuses({ code: 5, type: "FormatUnsupported", message: /version 2/ }, { store });
    });

    it("addresses that lead nowhere", async () => {
      await refuses({ code: 1, type: "StoreUnreachable", message: /there is no such folder/ }, { store: "nowhere" });
      await refuses({ code: 2, type: "UsageInvalid", message: /begins with ftp:, which is none of/ }, { store: "ftp://bucket" });
      const azure = /BlobEndpoint=([^;]+)/.exec(stack.azurite.connectionString)?.[1];
      await refuses(
        { code: 2, type: "SecretMissing", message: /needs a SAS in its URL, or AZURE_STORAGE_CONNECTION_STRING/ },
        { store: `${azure}/none` },
      );
      await refuses(
        { code: 1, type: "StoreUnreachable", message: /\(http:\/\/127\.0\.0\.1:1\).* the connection failed/ },
        { store: "ipfs+http://127.0.0.1:1/dbgov" },
      );
    });
  });

  describe("snapshots and targets", () => {
    it("a snapshot that is not there, no id, or of another database", async () => {
      await refuses(
        { code: 4, type: "SnapshotUnknown", message: new RegExp(`${unknownSnapshot} is not in the store`) },
        { which: unknownSnapshot },
      );
      await refuses({ code: 2, type: "UsageInvalid", message: /"newest" is not a snapshot id, which looks like/ }, { which: "newest" });
      await refuses({ code: 2, type: "UsageInvalid", message: /is of shop, not of crm/ }, { which: snapshot, database: "crm" });
      await refuses(
        { code: 4, type: "SnapshotUnknown", message: /no snapshot of crm that this kit opens; it has those of: shop/ },
        { database: "crm" },
      );
    });

    it("a target of another engine, of no engine, or that is not there", async () => {
      const mongo = "mongodb://someone:some-Passw0rd-3@127.0.0.1:1/db";
      await refuses({ code: 2, type: "UsageInvalid", message: /is of engine postgres; the target speaks mongodb/ }, { to: mongo });
      await refuses(
        { code: 2, type: "UsageInvalid", message: /must start with postgres:\/\// },
        { to: "mysql://someone:some-Passw0rd-3@127.0.0.1/db" },
      );
      await refuses(
        { code: 1, type: "DatabaseUnreachable", message: /127\.0\.0\.1:1 cannot be reached/ },
        { to: "postgres://someone:some-Passw0rd-3@127.0.0.1:1/db" },
      );
      const absent = Object.assign(new URL(target), { pathname: "/bad_recovery_none" }).href;
      await refuses({ code: 1, type: "DatabaseMissing", message: /database "bad_recovery_none" does not exist/ }, { to: absent });
      const wrong = Object.assign(new URL(target), { password: "some-Passw0rd-3" }).href;
      await refuses({ code: 1, type: "AuthenticationRejected", message: /password authentication failed/ }, { to: wrong });
      await cli.fails(
        { code: 2, type: "SecretMissing", message: /variable TARGET is not set/ },
        "recover",
        "--store",
        good.store,
        "--kit",
        good.kit,
        "--database",
        "shop",
        "--to-env",
        "TARGET",
      );
    });

    it("a target that is not empty is refused and left as it was, until --replace drops what it holds", async () => {
      await runSql(target, "CREATE TABLE precious AS SELECT 1 AS n; CREATE TABLE orders AS SELECT 2 AS n");
      const message = /database "bad_recovery_target_[0-9a-f]{6}" at .* is not empty: it holds table public\.\w+, table public\.\w+$/;
      await cli.fails({ code: 1, type: "TargetNotEmpty", message }, ...recover({}));
      assert.deepEqual(await runSql(target, "SELECT (SELECT n FROM precious) AS a, (SELECT n FROM orders) AS b"), [{ a: 1, b: 2 }]);
      const { code, json } = await cli.json(...recover({}, "--replace"));
      assert.deepEqual([code, json.identical, json.rows], [0, true, 500]);
      assert.deepEqual(await tables(), [{ relname: "orders" }]);
    });
  });
});
