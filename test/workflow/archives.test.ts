import assert from "node:assert/strict";
import { test } from "node:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { createArchiveRecords } from "../../activities/replicate/archive-records.ts";
import { recordLate } from "../../activities/replicate/settle-copies.ts";
import { announceReplica } from "../../core/catalog/announce-replica.ts";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { recordReplicas } from "../../core/catalog/record-replica.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { manifestKey, packKey, reportKey } from "../../core/repository/object-keys.ts";
import { committed, createCatalog, writtenPacks } from "../integration/catalog-database.ts";
import { exampleConfig } from "../sample/example-config.ts";
import { memoryStore } from "../unit/ledger-memory-store.ts";

const { catalog } = await createCatalog();

test("what was archived settles later, and what the network has dropped is archived again; so are reports", async () => {
  const { snapshot } = await committed(catalog, "shop", await writtenPacks(catalog, 1));
  const manifest = manifestKey(snapshot);
  const [disk, archive] = [memoryStore(), memoryStore()];
  disk.objects.set("log/checkpoint", Buffer.from("head"));
  disk.objects.set(manifest, Buffer.from("sealed"));
  for (const id of ["sweep-1", "sweep-2"]) disk.objects.set(reportKey(id), Buffer.from(id));
  await recordReplicas(catalog, [{ object: manifest, store: "disk", receipt: "there", bytes: 6, provenAt: null }]);
  let blocks = 0;
  const stores = { disk: { ...disk, name: "disk" }, archive: { ...archive, name: "archive", settled: async () => blocks > 0 } };
  const policies = exampleConfig.policies.map((policy) => ({ ...policy, archive: ["archive"] }));
  const config = { ...exampleConfig, policies, log: { ...exampleConfig.log, store: "disk" } };
  const site = { loaded: { config }, catalog: async () => catalog, store: async (name: "disk" | "archive") => stores[name] };
  const { archiveRecords, archiveCheckpoint, archiveReport } = createArchiveRecords({
    site: async () => site,
  } as unknown as ActivityEnvironment);
  const run = new MockActivityEnvironment();
  const proven = async (): Promise<boolean> =>
    (await listReplicas(catalog, [manifest])).some(({ store, provenAt }) => store === "archive" && provenAt !== null);

  await run.run(archiveRecords, { snapshot, from: "disk", to: "archive" });
  assert.deepEqual(await run.run(archiveReport, { sealed: reportKey("sweep-2") }), { stores: ["archive"] });
  assert.ok(archive.objects.has(reportKey("sweep-1")), "one that an earlier run could not archive");
  assert.equal(await proven(), false);

  archive.objects.delete(manifest);
  archive.objects.delete(reportKey("sweep-2"));
  await run.run(archiveCheckpoint);
  assert.equal(Buffer.from(archive.objects.get(manifest)!).toString(), "sealed");
  assert.ok(archive.objects.has(reportKey("sweep-2")));
  assert.equal(await proven(), false);

  blocks = 1;
  await run.run(archiveCheckpoint);
  assert.equal(await proven(), true);
});

test("what a run could not wait for is recorded by a later one, when its store has it for good", async () => {
  const keys = (await writtenPacks(catalog, 3)).map(packKey);
  const memory = memoryStore();
  const proven = new Set<string>();
  const slow = { ...memory, name: "slow", settled: async (key: string) => proven.has(key) };
  // The first is proven, the second is only taken, the third never came.
  for (const key of keys) await announceReplica(catalog, key, "slow", 0);
  for (const key of keys.slice(0, 2)) memory.objects.set(key, Buffer.from("sealed"));
  proven.add(keys[0]!);
  const looked: string[] = [];
  const late = { signal: new AbortController().signal, onLooked: (object: string) => void looked.push(object) };
  await recordLate(catalog, slow, late);
  const recorded = async (): Promise<string[]> =>
    (await listReplicas(catalog, keys)).filter(({ store, receipt }) => store === "slow" && receipt !== null).map(({ object }) => object);
  assert.deepEqual([looked.sort(), await recorded()], [[...keys].sort(), [keys[0]]]);
  proven.add(keys[1]!);
  await recordLate(catalog, slow, late);
  assert.deepEqual((await recorded()).sort(), keys.slice(0, 2).sort());
  const { settled: _, ...quick } = slow;
  await recordLate(catalog, { ...quick, name: "quick" }, late);
});

test("an archive that refuses keeps none of the others from the head, and is told", async () => {
  const disk = memoryStore();
  disk.objects.set("log/checkpoint", Buffer.from("head"));
  const [broke, good] = [memoryStore(), memoryStore()];
  const refuse = async (): Promise<never> => {
    throw new Failure("CostCapExceeded", "more than the cap");
  };
  const stores = { disk: { ...disk, name: "disk" }, broke: { ...broke, name: "broke", put: refuse }, good: { ...good, name: "good" } };
  const policies = exampleConfig.policies.map((policy) => ({ ...policy, archive: ["broke", "good"] }));
  const config = { ...exampleConfig, policies, log: { ...exampleConfig.log, store: "disk" } };
  const site = { loaded: { config }, catalog: async () => catalog, store: async (name: keyof typeof stores) => stores[name] };
  const { archiveCheckpoint } = createArchiveRecords({ site: async () => site } as unknown as ActivityEnvironment);
  await assert.rejects(new MockActivityEnvironment().run(archiveCheckpoint), (error) => isFailure(error, "CostCapExceeded"));
  assert.ok(good.objects.has("log/checkpoint"));
});
