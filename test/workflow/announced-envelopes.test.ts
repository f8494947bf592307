import assert from "node:assert/strict";
import { test } from "node:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { createArchiveRecords } from "../../activities/replicate/archive-records.ts";
import { type CopyInput, createCopyToStore } from "../../activities/replicate/copy-to-store.ts";
import { createRepairCopies } from "../../activities/replicate/repair-copies.ts";
import { deletable } from "../../core/catalog/deletable.ts";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { reachState } from "../../core/catalog/reach-state.ts";
import { recordReplicas } from "../../core/catalog/record-replica.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { configKey, envelopesKey, manifestKey, packKey, rangeKey } from "../../core/repository/object-keys.ts";
import type { Store } from "../../core/stores/store.ts";
import { committed, createCatalog, removeNow, writtenPacks } from "../integration/catalog-database.ts";
import { exampleConfig } from "../sample/example-config.ts";
import { memoryStore } from "../unit/ledger-memory-store.ts";

const { catalog } = await createCatalog();

test("copies that were made by an attempt that ended there are deleted with their snapshot", async () => {
  const packs = await writtenPacks(catalog, 2);
  const { snapshot, ranges } = await committed(catalog, "shop", packs);
  const objects = [...packs.map(packKey), ...ranges.map(({ id }) => rangeKey(id)), manifestKey(snapshot)];
  const [from, copy] = [memoryStore(), memoryStore()];
  for (const store of [from, copy]) store.objects.set(configKey, Buffer.from("{}"));
  const stores: Record<string, Store> = {
    // The worker is gone before it hears of any copy.
    disk: {
      ...from,
      name: "disk",
      get: async (key) => {
        throw new Failure("StoreUnreachable", `killed at ${key}`);
      },
    },
    copy: { ...copy, name: "copy" },
  };
  const site = { loaded: { config: exampleConfig }, catalog: async () => catalog, store: async (name: string) => stores[name] };
  const { copyToStore } = createCopyToStore({ site: async () => site } as unknown as ActivityEnvironment);
  const input: CopyInput = { snapshot, from: "disk", to: "copy", others: [], envelopes: false };
  await assert.rejects(new MockActivityEnvironment().run(copyToStore, input), (error) => isFailure(error, "StoreUnreachable"));
  assert.deepEqual(
    (await listReplicas(catalog, objects)).filter(({ store }) => store === "copy"),
    [],
    "they do not count as being there",
  );

  const newer = await committed(catalog, "shop", await writtenPacks(catalog, 1));
  await reachState(catalog, newer.snapshot, "verified", {}, new Date());
  await removeNow(catalog, [snapshot], new Date());
  const doomed = await deletable(catalog, new Date(Date.now() + 60_000), 100, ["copy"]);
  for (const key of objects) assert.deepEqual(doomed.find((object) => object.key === key)?.stores, ["copy"], key);
});

test("what a repair or an archiving had stored when it ended there is deleted with its snapshot", async () => {
  const [pack] = await writtenPacks(catalog, 1);
  const { snapshot } = await committed(catalog, "shop", [pack!]);
  const manifest = manifestKey(snapshot);
  // A good copy must have the bytes that its name promises: the manifest's name promises none.
  const from = memoryStore();
  from.objects.set(manifest, Buffer.from("sealed"));
  await recordReplicas(catalog, [{ object: manifest, store: "disk", receipt: "there", bytes: 6, provenAt: null }]);
  const takesAndDies = (name: string): Store => ({
    ...memoryStore(),
    name,
    put: async () => {
      throw new Failure("StoreUnreachable", "killed");
    },
  });
  const stores: Record<string, Store> = { disk: { ...from, name: "disk" }, archive: takesAndDies("archive"), copy: takesAndDies("copy") };
  const site = { catalog: async () => catalog, store: async (name: string) => stores[name] };
  const environment = { site: async () => site } as unknown as ActivityEnvironment;
  const run = new MockActivityEnvironment();
  const killed = (error: unknown) => isFailure(error, "StoreUnreachable");
  await assert.rejects(run.run(createArchiveRecords(environment).archiveRecords, { snapshot, from: "disk", to: "archive" }), killed);
  const envelopes = envelopesKey(snapshot);
  const { repairCopies } = createRepairCopies(environment);
  await assert.rejects(
    run.run(repairCopies, { snapshot, problems: [{ store: "copy", object: envelopes, type: "ObjectCorrupt", message: "altered" }] }),
    killed,
  );

  const newer = await committed(catalog, "shop", await writtenPacks(catalog, 1));
  await reachState(catalog, newer.snapshot, "verified", {}, new Date());
  await removeNow(catalog, [snapshot], new Date());
  const doomed = await deletable(catalog, new Date(Date.now() + 60_000), 100, ["archive", "copy"]);
  assert.ok(doomed.find((object) => object.key === manifest)?.stores.includes("archive"));
  assert.ok(doomed.find((object) => object.key === envelopes)?.stores.includes("copy"));
});

test("envelopes that were stored by an attempt that ended there are deleted with all others", async () => {
  const packs = await writtenPacks(catalog, 1);
  const { snapshot, ranges } = await committed(catalog, "shop", packs);
  const objects = [manifestKey(snapshot), ...packs.map(packKey), ...ranges.map(({ id }) => rangeKey(id))];
  await recordReplicas(
    catalog,
    objects.map((object) => ({ object, store: "disk", receipt: "there", bytes: 1, provenAt: null })),
  );
  const disk = memoryStore();
  disk.objects.set(configKey, Buffer.from("{}"));
  // Takes the object, and the worker is gone before it hears of that.
  const store: Store = {
    ...disk,
    name: "disk",
    put: async (key, bytes, signal) => {
      await disk.put(key, bytes, signal);
      throw new Failure("StoreUnreachable", "killed");
    },
  };
  const site = { loaded: { config: exampleConfig }, catalog: async () => catalog, store: async () => store };
  const { copyToStore } = createCopyToStore({ site: async () => site } as unknown as ActivityEnvironment);
  const input: CopyInput = { snapshot, from: "disk", to: "disk", others: [], envelopes: true };
  await assert.rejects(new MockActivityEnvironment().run(copyToStore, input), (error) => isFailure(error, "StoreUnreachable"));
  const stored = [...disk.objects.keys()].filter((key) => key.startsWith(envelopesKey("")));
  assert.ok(stored.length > 0);
  assert.deepEqual(await listReplicas(catalog, stored), [], "they do not count as being there");

  const newer = await committed(catalog, "shop", await writtenPacks(catalog, 1));
  await reachState(catalog, newer.snapshot, "verified", {}, new Date());
  await removeNow(catalog, [snapshot], new Date());
  const doomed = (await deletable(catalog, new Date(), 100, ["disk"])).filter(({ kind }) => kind === "envelopes");
  for (const key of stored) assert.deepEqual(doomed.find((object) => object.key === key)?.stores, ["disk"], key);
});
