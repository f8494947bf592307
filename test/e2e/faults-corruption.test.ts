import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { liveSnapshots } from "../../core/catalog/live-snapshots.ts";
import { latestSnapshot } from "../../core/catalog/read-snapshots.ts";
import { snapshotObjects } from "../../core/catalog/snapshot-objects.ts";
import type { BackupProgress, BackupResult } from "../../core/domain/run.ts";
import { openLog } from "../../core/ledger/log.ts";
import { envelopesKey, manifestKey, packKey, rangeKey } from "../../core/repository/object-keys.ts";
import type { StoredObject } from "../../core/stores/store.ts";
import type { RunningWorker } from "../sample/run-worker.ts";
import { assertNoSecrets } from "../sample/secrets.ts";
import { createDatabase, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

const rows = 2_500;
const signal = new AbortController().signal;
const stores = ["local", "azure", "ipfs"];

/** One byte of a stored object is another one: it is found, named, passed over and put right, or else nothing is done. */
describe("altered objects", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let test: TestSite;
  let worker: RunningWorker;
  let source: string;
  let snapshot: string;
  let packs: string[];
  let ranges: string[];
  /** The pack that the table's rows are in. */
  let rowPack: string | undefined;
  let target: string;

  before(async () => {
    stack = await startStack();
    source = await createDatabase(stack, "corrupt_source");
    await runSql(source, `CREATE TABLE "odd.Na""me" AS SELECT n, md5(n::text) AS text FROM generate_series(1, ${rows}) n`);
    test = await createTestSite({
      name: "corrupt",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: { archive: [], patience: "1s", envelopes: ["local", "azure"] },
      change: (config) => {
        config.anchors = [];
      },
    });
    worker = await test.worker();
    ({ snapshot } = await test.backup("shop"));
    const objects = await snapshotObjects(await test.site.catalog(), snapshot);
    packs = objects.packs.map(({ id }) => packKey(id));
    ranges = objects.ranges.map(rangeKey);
    await ended("verify", snapshot);
  });
  after(async () => {
    await test?.close();
  });

  /** The verification that a backup has asked for is over, however it ended. */
  const ended = async (kind: string, of: string): Promise<void> => {
    await test.client.workflow
      .getHandle(`${kind}/${of}`)
      .result()
      .catch(() => {});
  };
  /** Changes one byte in the middle of an object, as seen by whoever reads it from the store. */
  const flip = async (store: string, key: string): Promise<Uint8Array> => {
    const at = await test.site.store(store);
    const before = await at.get(key, signal);
    const altered = Uint8Array.from(before);
    const middle = altered.length >> 1;
    altered[middle] = (altered[middle] ?? 0) ^ 1;
    await at.delete(key, signal);
    await at.put(key, altered, signal);
    return before;
  };
  const putBack = async (store: string, key: string, bytes: Uint8Array): Promise<void> => {
    const at = await test.site.store(store);
    await at.delete(key, signal);
    await at.put(key, bytes, signal);
  };
  const verify = (...options: string[]) => test.dbgov("verify", snapshot, ...options);
  const emptyTarget = async (): Promise<void> => {
    target = await createDatabase(stack, "corrupt_target");
  };
  const restore = (...options: string[]) => test.dbgov("restore", snapshot, "--to", target, ...options);

  for (const store of stores) {
    it(`is named by verify, with store, object and stream, and replaced by a good copy: ${store}`, async () => {
      const bad = [...packs, ...(store === "ipfs" ? [] : [envelopesKey(snapshot)])];
      for (const key of bad) await flip(store, key);
      const { code, json } = await verify("--store", store);
      assert.equal(code, 5);
      assert.equal(json.verified, false);
      const found = new Map<string, string>(
        json.problems.map((problem: { object: string; message: string }) => [problem.object, problem.message]),
      );
      assert.ok(
        bad.every((key) => found.has(key)),
        `${[...found.keys()]} are all of ${bad}`,
      );
      assert.ok(json.problems.every((problem: { store: string }) => problem.store === store));
      rowPack = packs.find((pack) => /holds parts of .*public\."odd\.Na""me"/.test(found.get(pack) ?? ""));
      assert.ok(rowPack, [...found.values()].join("\n"));
      assert.ok(packs.some((pack) => /holds parts of .*schema/.test(found.get(pack) ?? "")));
      const cured = await verify("--store", store);
      assert.equal(cured.code, 0, `what was found is replaced: ${cured.stdout}`);

      // Each by itself: what lies behind an unreadable object is not seen.
      for (const key of [ranges[0] as string, manifestKey(snapshot)]) {
        await flip(store, key);
        const again = await verify("--store", store);
        assert.deepEqual([again.code, again.json.problems.map(({ object }: { object: string }) => object)], [5, [key]]);
        if (key === ranges[0]) assert.match(again.json.problems[0].message, /it holds a part of /);
        assert.equal((await verify("--store", store)).code, 0);
        const at = await test.site.store(store);
        const [kept, good] = await Promise.all([at.get(`quarantine/${key}`, signal), at.get(key, signal)]);
        assert.equal(kept.filter((byte, place) => byte !== good[place]).length, 1, "the bad copy is kept for examination");
      }
    });
  }

  it("is passed over by a restore, which takes the good copies", async () => {
    for (const key of [manifestKey(snapshot), ...ranges, ...packs]) await flip("local", key);
    await emptyTarget();
    const { code, json } = await restore();
    assert.deepEqual([code, json.identical, json.rows], [0, true, rows]);
    assert.ok(json.damaged.length >= 1 + ranges.length);
    assert.ok(json.damaged.every((sentence: string) => sentence.startsWith("local: ")));
    // What lies behind an unreadable object is seen once that is replaced: the manifest, then ranges, then packs.
    for (let round = 1; round <= 3; round += 1) assert.equal((await verify("--store", "local")).code, 5, `round ${round}`);
    assert.equal((await verify()).code, 0);
  });

  it("fails a restore before it has written anything when no copy of the manifest or of a definition is good", async () => {
    await emptyTarget();
    const tables = async () => await runSql(target, "SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace");
    const originals = await Promise.all(stores.map((store) => flip(store, manifestKey(snapshot))));
    const { code, json } = await restore();
    assert.deepEqual([code, json.error.type], [5, "ObjectCorrupt"]);
    assert.match(json.error.message, new RegExp(snapshot));
    assert.deepEqual(await tables(), []);
    for (const [at, store] of stores.entries()) await putBack(store, manifestKey(snapshot), originals[at] as Uint8Array);
    assert.equal((await restore()).code, 0);
  });

  it("fails a restore with the state of its target when no copy of a pack is good; the next backup writes it anew", async () => {
    const reading = await liveSnapshots(await test.site.catalog(), "shop");
    assert.ok(reading[0]?.states.includes("verified"));
    for (const store of stores) await flip(store, rowPack as string);
    await emptyTarget();
    const failed = await restore();
    assert.equal(failed.code, 5);
    assert.ok(failed.json.error.message.includes(rowPack?.slice(-64)), failed.json.error.message);
    assert.match(
      failed.json.error.message,
      /the target holds an incomplete restore, which the same command with --resume completes, or with --replace does anew$/,
    );
    const { code, json } = await verify();
    assert.deepEqual([code, json.repairs], [5, []]);
    assert.ok(!(await liveSnapshots(await test.site.catalog(), "shop"))[0]?.states.includes("verified"), "it is no longer believed");

    const next = await test.backup("shop");
    assert.ok(next.bytes.new > rows * 30, "everything is written again, though the database is as it was");
    assert.deepEqual([next.degraded, next.rows], [false, rows]);
    snapshot = next.snapshot;
    await ended("verify", snapshot);
    assert.equal((await verify()).code, 0);
    await emptyTarget();
    const restored = await restore();
    assert.deepEqual([restored.code, restored.json.identical, restored.json.damaged], [0, true, []]);
  });

  /** Nothing is logged or copied any more. */
  const quiet = async (): Promise<void> => {
    const newest = await latestSnapshot(await test.site.catalog(), "shop");
    await ended("verify", newest?.snapshot ?? "");
    await test.client.workflow.getHandle("publish").result();
  };
  /** The log's newest object of a kind: the widest, of those that are cut into tiles. */
  const ofLog = async (pattern: RegExp): Promise<string> => {
    const found: StoredObject[] = [];
    for await (const object of (await test.site.store("local")).list("log/", signal)) if (pattern.test(object.key)) found.push(object);
    return (found.sort((a, b) => b.bytes - a.bytes)[0] as StoredObject).key;
  };
  const openedLog = async () => {
    const { origin } = test.site.loaded.config.log;
    return await openLog({ store: await test.site.store("local"), origin, signer: await test.site.logSigner() });
  };
  const newestTile = { hashes: /^log\/tile\/0\//, entries: /^log\/tile\/entries\// };

  for (const [what, pattern] of [
    ["tile", newestTile.hashes],
    ["entry", newestTile.entries],
    ["checkpoint", /^log\/checkpoint$/],
  ] as const) {
    it(`are put right by the next run, which says so, when they are the log's: ${what}`, async () => {
      await quiet();
      const { size } = await openedLog();
      const key = await ofLog(pattern);
      const original = await flip("local", key);
      const { code, json } = await test.dbgov("backup", "shop");
      assert.deepEqual([code, json.state, json.degraded], [0, "logged", false], JSON.stringify(json));
      const log = await openedLog();
      assert.ok(log.size > size);
      await log.verifyAll();
      if (what !== "checkpoint") assert.deepEqual(await (await test.site.store("local")).get(key, signal), original);
      const said = (await readFile(worker.log, "utf8")).split("\n").filter((line) => line.includes("the log was damaged in its store"));
      assert.ok(
        said.some((line) => line.includes(key)),
        said.join("\n"),
      );
    });
  }

  it("stop a run when an entry of the log is altered in every store; reset finishes it once one of them is put right", async () => {
    await quiet();
    const key = await ofLog(newestTile.entries);
    const originals = await Promise.all(stores.map((store) => flip(store, key)));
    const { code, json } = await test.dbgov("backup", "shop");
    assert.deepEqual([code, json.error.type], [5, "LedgerCorrupt"]);
    assert.match(json.error.message, /the entries of the log .*, in all stores together, do not hash to its checkpoint of size \d+$/);
    await putBack("azure", key, originals[1] as Uint8Array);
    const handle = test.client.workflow.getHandle("backup/shop");
    const { resumeAt } = (await handle.query("progress")) as BackupProgress;
    const { runId } = await handle.describe();
    await test.client.workflowService.resetWorkflowExecution({
      namespace: test.namespace,
      workflowExecution: { workflowId: "backup/shop", runId },
      workflowTaskFinishEventId: resumeAt as never,
      reason: "the log is put right",
      requestId: crypto.randomUUID(),
    });
    const done = (await test.client.workflow.getHandle("backup/shop").result()) as BackupResult;
    assert.deepEqual([done.state, done.degraded, done.rows], ["logged", false, rows]);
    assert.equal((await latestSnapshot(await test.site.catalog(), "shop", "logged"))?.snapshot, done.snapshot);
    await (await openedLog()).verifyAll();
  });

  it("has told no secret to Temporal or to a log", async () => {
    await assertNoSecrets(test);
  });
});
