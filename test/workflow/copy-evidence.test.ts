import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { createCopyToStore } from "../../activities/replicate/copy-to-store.ts";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { dropReplica } from "../../core/catalog/drop-replica.ts";
import { reachState } from "../../core/catalog/reach-state.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { configKey, manifestKey, packKey, rangeKey } from "../../core/repository/object-keys.ts";
import type { Store } from "../../core/stores/store.ts";
import { committed, createCatalog, removeNow, snapshotOf, writtenPacks } from "../integration/catalog-database.ts";
import { exampleConfig } from "../sample/example-config.ts";
import { memoryStore } from "../unit/ledger-memory-store.ts";

const { catalog } = await createCatalog();
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const copy = (snapshot: string, store: Store): Promise<unknown> => {
  const site = { loaded: { config: exampleConfig }, catalog: async () => catalog, store: async () => store };
  const { copyToStore } = createCopyToStore({ site: async () => site } as unknown as ActivityEnvironment);
  return new MockActivityEnvironment().run(copyToStore, { snapshot, from: "disk", to: "disk", others: [], envelopes: false });
};
const emptyStore = (): Store & ReturnType<typeof memoryStore> => {
  const store = memoryStore();
  store.objects.set(configKey, Buffer.from("{}"));
  return Object.assign(store, { name: "disk" });
};

test("a snapshot that was removed is no copy, though nothing of it is missing", async () => {
  const { snapshot } = await committed(catalog, "removed", await writtenPacks(catalog, 1));
  const newer = await committed(catalog, "removed", await writtenPacks(catalog, 1));
  await reachState(catalog, newer.snapshot, "verified", {}, new Date());
  await removeNow(catalog, [snapshot], new Date());
  await assert.rejects(copy(snapshot, emptyStore()), (error) => isFailure(error, "SnapshotUnknown"));
});

test("an object that was found bad while the others were copied is not counted as being there", async () => {
  const store = emptyStore();
  const [packs, content, manifest] = [await writtenPacks(catalog, 1), Buffer.from("range"), Buffer.from("manifest")];
  const commit = snapshotOf("shop", [{ id: sha256(content), packs }], { manifestHash: sha256(manifest) });
  await commitSnapshot(catalog, commit);
  const pack = packKey(packs[0]!);
  await recordReplica(catalog, { object: pack, store: "disk", receipt: "there", bytes: 1, provenAt: null });
  store.objects.set(rangeKey(sha256(content)), content);
  store.objects.set(manifestKey(commit.snapshot), manifest);
  const beside: Store = {
    ...store,
    stat: async (key, signal) => {
      if (key === rangeKey(sha256(content))) await dropReplica(catalog, pack, "disk");
      return await store.stat(key, signal);
    },
  };
  await assert.rejects(copy(commit.snapshot, beside), (error) => isFailure(error, "ObjectMissing") && error.message.includes(pack));
  await recordReplica(catalog, { object: pack, store: "disk", receipt: "there", bytes: 1, provenAt: null });
  assert.deepEqual(await copy(commit.snapshot, store), { store: "disk", packs: 1, verified: 0 });
});
