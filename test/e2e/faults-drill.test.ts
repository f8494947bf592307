import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parse, stringify } from "yaml";
import { lastDrill } from "../../core/catalog/last-drill.ts";
import { lastRuns } from "../../core/catalog/last-runs.ts";
import { logEntries } from "../../core/catalog/read-log-entries.ts";
import { snapshotObjects } from "../../core/catalog/snapshot-objects.ts";
import { packKey } from "../../core/repository/object-keys.ts";
import type { RunningWorker } from "../sample/run-worker.ts";
import { assertNoSecrets } from "../sample/secrets.ts";
import { openTcpFront, type TcpFront, throughFront } from "../sample/tcp-front.ts";
import { createDatabase, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

const signal = new AbortController().signal;

/** Practice restores that go wrong: each says how, and none leaves its scratch database. */
describe("drills that fail", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let database: TcpFront;
  let source: string;
  let test: TestSite;
  let worker: RunningWorker;

  before(async () => {
    stack = await startStack();
    const { hostname, port, host } = new URL(stack.postgres.url);
    database = await openTcpFront({ host: hostname, port: Number(port) });
    source = await createDatabase(stack, "drills_source");
    await runSql(source, "CREATE TABLE orders AS SELECT n, repeat(md5(n::text), 20) AS text FROM generate_series(1, 6000) n");
    test = await createTestSite({
      name: "drills",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: throughFront(source, host, database) }],
      policy: { stores: [], copies: 1, domains: 1, archive: [], patience: "1s" },
      change: (config) => {
        config.anchors = [];
      },
    });
  });
  after(async () => {
    database?.thaw();
    await test?.close();
    await database?.close();
  });

  const scratches = async (): Promise<string[]> =>
    (await runSql<{ datname: string }>(stack.postgres.url, "SELECT datname FROM pg_database WHERE datname LIKE 'dbgov\\_drill\\_%'"))
      .map(({ datname }) => datname)
      .filter((name) => ours.has(name.slice("dbgov_drill_".length)));
  /** The ends of this file's snapshots: other test files drill on the same server. */
  const ours = new Set<string>();
  const backup = async (): Promise<string> => {
    const { snapshot } = await test.backup("shop");
    ours.add(snapshot.slice(-12));
    return snapshot;
  };
  const drillRuns = async () => (await lastRuns(await test.site.catalog(), "shop")).filter(({ kind }) => kind === "drill");

  it("needs a recipient's key, which a worker without it says at once; that worker backs up all the same", async () => {
    const config = parse(await readFile(test.config, "utf8"));
    delete config.recipients[0].secretKey;
    const keyless = join(dirname(test.config), "keyless.yaml");
    await writeFile(keyless, stringify(config));
    const without = await test.worker({ config: keyless });
    const snapshot = await backup();
    const { code, json } = await test.dbgov("drill", "shop");
    assert.deepEqual([code, json.error.type], [2, "SecretMissing"]);
    assert.match(json.error.message, /no recipient in .*keyless\.yaml has a secretKey/);
    assert.deepEqual(await scratches(), []);
    assert.equal(await without.stop(), 0);

    worker = await test.worker();
    const drilled = await test.dbgov("drill", "shop");
    assert.deepEqual([drilled.code, drilled.json.snapshot, drilled.json.identical], [0, snapshot, true]);
    assert.deepEqual(await scratches(), []);
  });

  it("goes on after its worker was killed, and drops the scratch database", async () => {
    // The copy is being read back when it stops.
    const frozen = database.freezeAfter(1_000_000);
    const running = test.dbgov("drill", "shop");
    await frozen;
    assert.equal((await scratches()).length, 1);
    await worker.kill();
    database.thaw();
    worker = await test.worker();
    const { code, json } = await running;
    assert.deepEqual([code, json.identical, json.rows], [0, true, 6_000]);
    assert.deepEqual(await scratches(), []);
  });

  it("drops the scratch database when it is cancelled", async () => {
    const frozen = database.freezeAfter(1_000_000);
    const running = test.dbgov("drill", "shop");
    await frozen;
    await test.client.workflow.getHandle("drill/shop").cancel();
    const { code, json } = await running;
    database.thaw();
    assert.equal(code, 1);
    assert.match(json.error.message, /cancelled/);
    assert.deepEqual(await scratches(), []);
    const [run] = await drillRuns();
    assert.deepEqual([run?.outcome, run?.failureType], ["failed", "Cancelled"]);
  });

  it("finds a copy that differs: here the database's own function writes while its index is built", async () => {
    await runSql(
      source,
      `CREATE TABLE audit (what text);
       CREATE FUNCTION note() RETURNS void LANGUAGE plpgsql VOLATILE AS $$ BEGIN INSERT INTO public.audit VALUES ('seen'); END $$;
       CREATE FUNCTION noted(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM public.note(); RETURN n; END $$;
       CREATE TABLE few AS SELECT n FROM generate_series(1, 3) n;
       CREATE INDEX ON few (noted(n))`,
    );
    const snapshot = await backup();
    const { code, json } = await test.dbgov("drill", "shop");
    assert.deepEqual([code, json.error.type], [5, "ContentDiffers"]);
    assert.match(
      json.error.message,
      new RegExp(`copy restored from ${snapshot} differs: public\\.audit has \\d+ rows, the snapshot has 3`),
    );
    assert.deepEqual(await scratches(), []);
    const catalog = await test.site.catalog();
    const drill = await lastDrill(catalog, "shop");
    assert.deepEqual([drill?.snapshot, drill?.identical, drill?.differences.length], [snapshot, false, 1]);
    assert.equal((await logEntries(catalog, { database: "shop", kind: "drilled" })).length, 3);
    assert.deepEqual((await drillRuns()).map(({ outcome }) => outcome)[0], "failed");
    assert.equal((await test.dbgov("status")).json.databases[0].lastDrill.identical, false);
    await runSql(source, "DROP TABLE few, audit");
  });

  it("names the object that cannot be read, and drops the scratch database", async () => {
    const snapshot = await backup();
    const { packs } = await snapshotObjects(await test.site.catalog(), snapshot);
    const store = await test.site.store("local");
    const altered = await Promise.all(
      packs.map(async ({ id }) => {
        const bytes = await store.get(packKey(id), signal);
        const cut = bytes.subarray(0, bytes.length >> 1);
        await store.put(packKey(id), cut, signal);
        return { id, bytes };
      }),
    );
    const { code, json } = await test.dbgov("drill", "shop");
    assert.deepEqual([code, json.error.type], [5, "ObjectCorrupt"]);
    assert.ok(
      packs.some(({ id }) => json.error.message.includes(id)),
      json.error.message,
    );
    assert.deepEqual(await scratches(), []);
    for (const { id, bytes } of altered) await store.put(packKey(id), bytes, signal);
    const again = await test.dbgov("drill", "shop");
    assert.deepEqual([again.code, again.json.identical], [0, true]);
  });

  it("refuses a snapshot that there is not", async () => {
    const { code, json } = await test.dbgov("drill", "shop", "--snapshot", "20200101T000000Z-000000000000");
    assert.deepEqual([code, json.error.type], [4, "SnapshotUnknown"]);
    assert.match(json.error.message, /20200101T000000Z-000000000000/);
  });

  it("has told no secret to Temporal or to a log", async () => {
    await assertNoSecrets(test);
  });
});
