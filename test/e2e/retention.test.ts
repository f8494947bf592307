import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { logEntries } from "../../core/catalog/read-log-entries.ts";
import { latestSnapshot } from "../../core/catalog/read-snapshots.ts";
import { snapshotObjects } from "../../core/catalog/snapshot-objects.ts";
import { openLog } from "../../core/ledger/log.ts";
import { readKeyring } from "../../core/repository/keyring.ts";
import { envelopesKey, manifestKey, packKey, rangeKey } from "../../core/repository/object-keys.ts";
import type { RunningWorker } from "../sample/run-worker.ts";
import { assertNoSecrets } from "../sample/secrets.ts";
import { openTcpFront, type TcpFront, throughFront } from "../sample/tcp-front.ts";
import { createDatabase, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

const signal = new AbortController().signal;
const stores = ["local", "azure", "ipfs"];

/** The policy keeps one snapshot, and nothing needs to be old: what may go goes at once. */
describe("retention", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let azure: TcpFront;
  let source: string;
  let test: TestSite;
  let worker: RunningWorker;

  before(async () => {
    stack = await startStack();
    const blob = new URL(/BlobEndpoint=([^;]+)/.exec(stack.azurite.connectionString)?.[1] ?? "");
    azure = await openTcpFront({ host: blob.hostname, port: Number(blob.port) });
    source = await createDatabase(stack, "retention_source");
    await runSql(
      source,
      "CREATE TABLE kept AS SELECT n, md5(n::text) AS text FROM generate_series(1, 3000) n; CREATE TABLE changing (n int, text text)",
    );
    test = await createTestSite({
      name: "retention",
      stack: { ...stack, azurite: { connectionString: throughFront(stack.azurite.connectionString, blob.host, azure) } },
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: {
        archive: [],
        envelopes: ["local", "azure"],
        patience: "1s",
        retention: { last: 1, daily: 0, weekly: 0, monthly: 0, yearly: 0, minimumAge: "0s", spacing: "0s" },
      },
      change: (config) => {
        config.anchors = [];
        config.retention = { grace: "0s" };
      },
    });
    worker = await test.worker({ queues: ["orchestrate", "capture", "replicate", "chain"] });
  });
  after(async () => {
    azure?.thaw();
    await test?.close();
    await azure?.close();
  });

  const verified = (snapshot: string): Promise<unknown> => test.client.workflow.getHandle(`verify/${snapshot}`).result();
  /** A backup of content that no other snapshot has, beside what all have. */
  const backup = async (): Promise<string> => {
    const word = Math.random().toString(36);
    await runSql(source, `TRUNCATE changing; INSERT INTO changing SELECT n, md5(n || '${word}') FROM generate_series(1, 2000) n`);
    return (await test.backup("shop")).snapshot;
  };
  const plan = async (): Promise<Record<string, string[]>> => {
    const { code, json } = await test.dbgov("retention", "plan", "--database", "shop");
    assert.equal(code, 0);
    const decisions = json.plans[0].decisions as { snapshot: string; action: string; reasons: string[] }[];
    return Object.fromEntries(decisions.map(({ snapshot, action, reasons }) => [snapshot, [action, ...reasons]]));
  };
  const objectsOf = async (snapshot: string): Promise<string[]> => {
    const { packs, ranges } = await snapshotObjects(await test.site.catalog(), snapshot);
    return [
      manifestKey(snapshot),
      envelopesKey(snapshot),
      ...packs.map(({ id }) => packKey(id)),
      ...ranges.flatMap((id) => [rangeKey(id), envelopesKey(id)]),
    ];
  };
  /** Which of these objects a store still has. */
  const present = async (store: string, keys: readonly string[]): Promise<string[]> => {
    const at = await test.site.store(store);
    const found = await Promise.all(keys.map(async (key) => ((await at.stat(key, signal)) === undefined ? [] : [key])));
    return found.flat();
  };
  const assertRestores = async (snapshot: string): Promise<void> => {
    const target = await createDatabase(stack, "retention_target");
    const { code, json } = await test.dbgov("restore", snapshot, "--to", target);
    assert.deepEqual([code, json.identical, json.rows, json.damaged], [0, true, 5_000, []]);
  };
  const kinds = async () => (await logEntries(await test.site.catalog(), { database: "shop" })).map(({ kind }) => kind);

  /** Its packs hold what never changes, too, so that later snapshots need them. */
  let base: string;
  let first: string;
  let second: string;

  it("deletes nothing while no newer snapshot is verified", async () => {
    base = await backup();
    first = await backup();
    second = await backup();
    assert.deepEqual((await plan())[first], ["keep", "nothing newer is verified"]);
    const { code, json } = await test.dbgov("retention", "run");
    assert.deepEqual([code, json], [0, { removed: [], objectsDeleted: 0, sparse: [] }]);
    assert.equal((await present("local", await objectsOf(first))).length, (await objectsOf(first)).length);
    // Verification waits for a worker that may open snapshots.
    const opener = await test.worker({ queues: ["restore"] });
    await Promise.all([verified(base), verified(first), verified(second)]);
    await opener.stop();
    assert.deepEqual((await plan())[first], ["delete", "no rule keeps it"]);
  });

  it("deletes nothing that a legal hold names", async () => {
    const placed = await test.dbgov("hold", "place", "--snapshot", first, "--reason", "case 4711", "--by", "legal");
    assert.equal(placed.code, 0);
    assert.deepEqual((await plan())[first], ["keep", "legal hold"]);
    assert.deepEqual((await test.dbgov("retention", "run")).json.removed, [base]);
    assert.equal((await test.dbgov("hold", "lift", placed.json.id, "--by", "legal")).code, 0);
    assert.deepEqual((await plan())[first], ["delete", "no rule keeps it"]);
    const holds = (await logEntries(await test.site.catalog())).map(({ kind }) => kind).filter((kind) => kind.startsWith("hold"));
    assert.deepEqual(holds, ["hold-placed", "hold-lifted"]);
  });

  it("deletes what the plan says, from every store, with its envelopes, and logs it", async () => {
    const gone = await objectsOf(first);
    const kept = await objectsOf(second);
    const shared = gone.filter((key) => kept.includes(key));
    const { code, json } = await test.dbgov("retention", "run");
    assert.deepEqual([code, json.removed], [0, [first]]);
    assert.ok((await present("local", shared)).length === shared.length && shared.length > 0, "packs that are needed elsewhere stay");
    const own = gone.filter((key) => !kept.includes(key));
    assert.ok(own.some((key) => key.startsWith("packs/")) && own.some((key) => key.startsWith("ranges/")));
    for (const store of stores) {
      assert.deepEqual(await present(store, own), [], store);
      const there = store === "ipfs" ? kept.filter((key) => !key.startsWith("envelopes/")) : kept;
      assert.deepEqual((await present(store, there)).sort(), there.toSorted(), store);
    }
    await assertRestores(second);
    const away = await test.dbgov("restore", first, "--to", "postgres://nobody@127.0.0.1:1/none");
    assert.deepEqual([away.code, away.json.error.type], [4, "SnapshotUnknown"]);
    assert.match(away.json.error.message, /was removed on .*by retention/);

    assert.deepEqual((await kinds()).slice(-2), ["deleted", "retention-executed"]);
    const catalog = await test.site.catalog();
    const log = await openLog({
      store: await test.site.store("local"),
      origin: test.site.loaded.config.log.origin,
      signer: await test.site.logSigner(),
    });
    const [entry] = (await logEntries(catalog, { database: "shop", kind: "deleted" })).slice(-1);
    const { entry: deleted } = await log.entry(entry?.index ?? -1);
    assert.ok(deleted.kind === "deleted" && deleted.snapshot === first);
    assert.equal(deleted.envelopes, own.filter((key) => key.startsWith("envelopes/")).length);
    assert.equal(deleted.packs, own.filter((key) => key.startsWith("packs/")).length);
    assert.deepEqual([deleted.reason, deleted.means], ["retention", "envelopes"], "others on IPFS may keep the packs");
    const [{ index = -1 } = {}] = (await logEntries(catalog, { kind: "objects-deleted" })).slice(-1);
    const { entry: objects } = await log.entry(index);
    assert.ok(objects.kind === "objects-deleted" && (objects.gone ?? 0) > 0 && (objects.unpinned ?? 0) > 0 && objects.kept === 0);
    assert.deepEqual((await test.dbgov("retention", "run")).json, { removed: [], objectsDeleted: 0, sparse: [] });
    const envelopes = await readKeyring(test.site.loaded.config.recoveryKit);
    assert.deepEqual([envelopes(first), envelopes(second).length > 0], [[], true], "the recovery kit has no envelope of what is gone");
  });

  it("finishes a deletion in whose middle the worker was killed", async () => {
    const next = await backup();
    const opener = await test.worker({ queues: ["restore"] });
    await verified(next);
    const own = (await objectsOf(second)).filter((key) => key.includes(second));
    const frozen = azure.freezeAfter(0);
    const running = test.dbgov("retention", "run");
    await frozen;
    await worker.kill();
    azure.thaw();
    worker = await test.worker();
    await opener.stop();
    const { code, json } = await running;
    assert.deepEqual([code, json.removed], [0, [second]]);
    for (const store of stores) assert.deepEqual(await present(store, own), [], store);
    const names = await kinds();
    assert.equal(names.filter((kind) => kind === "deleted").length, 3);
    await assertRestores(next);
  });

  it("takes nothing from a backup that runs at the same time", async () => {
    for (let round = 1; round <= 4; round += 1) {
      const [snapshot, retained] = await Promise.all([backup(), test.dbgov("retention", "run")]);
      assert.equal(retained.code, 0, retained.stdout);
      await verified(snapshot);
    }
    const newest = await latestSnapshot(await test.site.catalog(), "shop", "verified");
    const { code } = await test.dbgov("verify", newest?.snapshot ?? "");
    assert.equal(code, 0);
    await assertRestores(newest?.snapshot ?? "");
    const { json } = await test.dbgov("retention", "run");
    assert.equal(json.removed.length, 1, "all others went on the way");
    assert.equal((await test.dbgov("verify", newest?.snapshot ?? "")).code, 0);
  });

  it("deletes what an interrupted run has left in its landing store", async () => {
    const local = await test.site.store("local");
    const left = ["plans/20200101T000000Z-000000000000/plan-1-1", "takeover/20200101T000000Z-000000000000"];
    for (const key of left) await local.put(key, new Uint8Array(10), signal);
    await test.dbgov("retention", "run");
    assert.deepEqual(await present("local", left), []);
  });

  it("goes on without a store that left the configuration, says so, and makes up for it once the store is back", async () => {
    const older = await latestSnapshot(await test.site.catalog(), "shop");
    const own = [manifestKey(older?.snapshot ?? "")];
    await verified(await backup());
    let ipfs: unknown;
    await test.reconfigure((config) => {
      ipfs = config.stores.find(({ name }: { name: string }) => name === "ipfs");
      config.stores = config.stores.filter((store: unknown) => store !== ipfs);
      config.policies[0] = { ...config.policies[0], stores: ["azure"], copies: 2, domains: 2 };
    });
    const without = await test.dbgov("retention", "run");
    assert.deepEqual([without.code, without.json.removed], [3, [older?.snapshot]], without.stdout);
    assert.deepEqual(
      without.json.outOfReach.map(({ store, objects }: { store: string; objects: number }) => [store, objects > 0]),
      [["ipfs", true]],
    );
    for (const store of ["local", "azure"]) assert.deepEqual(await present(store, own), [], store);
    assert.equal((await test.dbgov("retention", "run")).code, 3, "as long as it is so");
    await test.reconfigure((config) => {
      config.stores.push(ipfs);
      config.policies[0].stores = ["azure", "ipfs"];
    });
    assert.deepEqual(await present("ipfs", own), own);
    assert.equal((await test.dbgov("retention", "run")).code, 0);
    assert.deepEqual(await present("ipfs", own), []);
  });

  it("has told no secret to Temporal or to a log", async () => {
    await assertNoSecrets(test);
  });
});
