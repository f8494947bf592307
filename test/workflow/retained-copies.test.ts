import assert from "node:assert/strict";
import { test } from "node:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { createDeleteObjects } from "../../activities/retain/delete-objects.ts";
import { beginDelete } from "../../core/catalog/begin-delete.ts";
import { query } from "../../core/catalog/catalog.ts";
import { condemnUnreferenced } from "../../core/catalog/condemn-unreferenced.ts";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import type { DeletableObject } from "../../core/catalog/records.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { packKey } from "../../core/repository/object-keys.ts";
import type { Store } from "../../core/stores/store.ts";
import { createCatalog, writtenPacks } from "../integration/catalog-database.ts";
import { memoryStore } from "../unit/ledger-memory-store.ts";

const { catalog } = await createCatalog();
const perform = <Args extends unknown[], Result>(activity: (...args: Args) => Promise<Result>, ...args: Args): Promise<Result> =>
  new MockActivityEnvironment().run(activity as never, ...args);

test("a store that does not let an object go yet keeps nothing else waiting, and is asked again when its time has come", async () => {
  const packs = await writtenPacks(catalog, 3);
  const keys = packs.map(packKey);
  // The replicas that the packs were registered with are in a store of another name.
  await query(catalog, "clearing", "DELETE FROM dbgov.replica");
  const deletedFrom = { free: new Set<string>(), locked: new Set<string>() };
  let lockedUntil: Date | undefined = new Date(Date.now() + 3_600_000);
  const storeOf = (name: keyof typeof deletedFrom): Store => ({
    ...memoryStore(),
    name,
    delete: async (key) => {
      const until = lockedUntil;
      if (name === "locked" && until !== undefined)
        throw new Failure("StoreRetained", `${name} keeps ${key}`, { details: { until: until.toISOString() } });
      deletedFrom[name].add(key);
    },
  });
  const stores: Record<string, Store> = { free: storeOf("free"), locked: storeOf("locked") };
  for (const object of keys)
    for (const store of Object.keys(stores)) await recordReplica(catalog, { object, store, receipt: "r", bytes: 1, provenAt: null });
  await query(catalog, "ending leases", "UPDATE dbgov.pack SET claimed_until = NULL");
  await condemnUnreferenced(catalog, new Date(Date.now() - 1_000));
  const config = { stores: Object.keys(stores).map((name) => ({ name })), retention: { grace: "0s" } };
  const site = { loaded: { config }, catalog: async () => catalog, store: async (name: string) => stores[name] };
  const retain = createDeleteObjects({ site: async () => site } as unknown as ActivityEnvironment);
  /** As the workflow does it: rounds until nothing is chosen. */
  const run = async (): Promise<{ rounds: number; retained: number }> => {
    let retained = 0;
    for (let rounds = 0; ; rounds += 1) {
      const chosen = await perform(retain.chooseDeletions, { limit: 2 });
      if (chosen.keys.length === 0) return { rounds, retained };
      assert.ok(rounds < 10, "the run does not end");
      retained += (await perform(retain.deleteObjects, chosen)).retained ?? 0;
    }
  };
  const left = async (): Promise<string[]> => (await listReplicas(catalog, keys)).map(({ store }) => store);

  assert.equal((await run()).retained, 3);
  assert.deepEqual([...deletedFrom.free].toSorted(), keys.toSorted());
  assert.deepEqual(await left(), ["locked", "locked", "locked"]);
  assert.deepEqual(await run(), { rounds: 0, retained: 0 }, "it is not asked again before");
  const { retained } = await perform(retain.lookForUnreachable);
  assert.deepEqual(retained, [{ store: "locked", objects: 3, until: lockedUntil.toISOString() }]);

  await query(catalog, "letting the time pass", "UPDATE dbgov.retained_copy SET retry_at = now() - interval '1 second'");
  lockedUntil = undefined;
  await run();
  assert.deepEqual([...deletedFrom.locked].toSorted(), keys.toSorted());
  assert.deepEqual(await left(), []);
  assert.equal((await perform(retain.lookForUnreachable)).retained, undefined);
});

/** A store that says what it was asked to delete. */
const placeOf = (refusal?: Failure) => {
  const deleted: string[] = [];
  const store: Store = {
    ...memoryStore(),
    delete: async (key) => {
      if (refusal !== undefined) throw refusal;
      deleted.push(key);
    },
  };
  const site = { loaded: { config: { stores: [{ name: "only" }] } }, catalog: async () => catalog, store: async () => store };
  return { deleted, retain: createDeleteObjects({ site: async () => site } as unknown as ActivityEnvironment) };
};
const objectOf = (pack: string): DeletableObject => ({ key: packKey(pack), kind: "pack", id: pack, stores: ["only"] });
const doomedPack = async (): Promise<string> => {
  const [pack] = (await writtenPacks(catalog, 1)) as [string];
  await query(catalog, "ending leases", "UPDATE dbgov.pack SET claimed_until = NULL");
  await condemnUnreferenced(catalog, new Date());
  await beginDelete(catalog, [pack]);
  return pack;
};

test("another refusal than that one fails the step: nobody must take it for a matter of time", async () => {
  const object = objectOf(await doomedPack());
  const { retain } = placeOf(new Failure("StoreRejected", "no permission"));
  const step = perform(retain.deleteObjects, { objects: [object], keys: [object.key] });
  await assert.rejects(step, (error) => isFailure(error, "StoreRejected"));
});

test("what is not past saving is deleted from no store, whoever asks for it", async () => {
  const doomed = objectOf(await doomedPack());
  const [living] = (await writtenPacks(catalog, 1)) as [string];
  const { deleted, retain } = placeOf();
  const asks = [objectOf(living), { ...objectOf(living), id: doomed.id }, { ...doomed, key: "config" }];
  for (const asked of asks) {
    const step = perform(retain.deleteObjects, { objects: [doomed, asked], keys: [doomed.key, asked.key] });
    await assert.rejects(step, (error) => isFailure(error, "RetentionRefused"));
  }
  assert.deepEqual(deleted, []);
  await perform(retain.deleteObjects, { objects: [doomed], keys: [doomed.key] });
  await perform(retain.deleteObjects, { objects: [doomed], keys: [doomed.key] });
  assert.deepEqual(deleted, [doomed.key, doomed.key], "a second attempt is no error");
});
