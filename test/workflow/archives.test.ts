import assert from "node:assert/strict";
import { test } from "node:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { createArchiveRecords } from "../../activities/replicate/archive-records.ts";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { recordReplicas } from "../../core/catalog/record-replica.ts";
import { manifestKey, reportKey } from "../../core/repository/object-keys.ts";
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
