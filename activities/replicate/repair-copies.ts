import { cancellationSignal, heartbeat } from "@temporalio/activity";
import { announceReplica } from "../../core/catalog/announce-replica.ts";
import type { Catalog } from "../../core/catalog/catalog.ts";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { envelopesOf } from "../../core/catalog/read-envelopes.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { isFailure } from "../../core/domain/failure.ts";
import type { ObjectProblem, ObjectRepair } from "../../core/domain/run.ts";
import { encodeEnvelopes } from "../../core/repository/envelopes.ts";
import { envelopesKey, manifestKey } from "../../core/repository/object-keys.ts";
import type { Store } from "../../core/stores/store.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { copyObject, firstGood } from "./copy-object.ts";

export const createRepairCopies = ({ site }: ActivityEnvironment) => ({
  /** Replaces copies that are missing or altered by good ones from other stores. What no store has a good copy of is not in the answer. */
  repairCopies: async (input: { snapshot: string; problems: readonly ObjectProblem[] }): Promise<readonly ObjectRepair[]> => {
    const at = await site();
    const signal = cancellationSignal();
    const catalog = await at.catalog();
    const repairs: ObjectRepair[] = [];
    for (const { store, object } of input.problems) {
      if (isEnvelopes(object)) {
        if (await repairEnvelopes(catalog, await at.store(store), object, signal)) repairs.push({ store, object, from: "the keyring" });
        continue;
      }
      const holders = (await listReplicas(catalog, [object])).map((replica) => replica.store).filter((holder) => holder !== store);
      const sources = await Promise.all(holders.map((holder) => at.store(holder)));
      // A manifest is not named by its hash: the catalog knows it.
      const expected = object === manifestKey(input.snapshot) ? (await getSnapshot(catalog, input.snapshot))?.manifestHash : undefined;
      const good = await goodCopy(sources, object, expected, signal);
      if (good === undefined) continue;
      const to = await at.store(store);
      await quarantine(to, object, signal);
      // A store may take an object of that name and size for the one that it is given: the bad one goes first.
      await to.delete(object, signal);
      // The bad copy's record is gone: if this run is killed behind the put, deleting the snapshot still looks here.
      await announceReplica(catalog, object, store, 0);
      const { id, bytes, proven } = await copyObject({ sources: [good], to, key: object, expected, readBack: true }, signal);
      await recordReplica(catalog, { object, store, receipt: id, bytes, provenAt: proven ? new Date() : null });
      repairs.push({ store, object, from: good.name });
      heartbeat({ repaired: repairs.length, of: input.problems.length });
    }
    return repairs;
  },
});

/** What was altered, and how, is evidence: the bad copy is kept under another name, for somebody to look at and to delete. */
const quarantine = async (store: Store, object: string, signal: AbortSignal): Promise<void> => {
  try {
    await store.put(`quarantine/${object}`, await store.get(object, signal), signal);
  } catch (error) {
    if (!isFailure(error, "ObjectMissing")) throw error;
  }
};

const isEnvelopes = (object: string): boolean => object.startsWith(envelopesKey(""));

/** Envelopes are not named by what is in them: the keyring has the right ones, unless they were destroyed. */
const repairEnvelopes = async (catalog: Catalog, to: Store, key: string, signal: AbortSignal): Promise<boolean> => {
  const envelopes = await envelopesOf(catalog, key.slice(envelopesKey("").length));
  if (envelopes.length === 0) return false;
  const content = encodeEnvelopes(envelopes);
  await announceReplica(catalog, key, to.name, content.length);
  const { id, bytes } = await to.put(key, content, signal);
  await recordReplica(catalog, { object: key, store: to.name, receipt: id, bytes, provenAt: null });
  return true;
};

/** The first of the stores that has the object as it should be. */
const goodCopy = async (
  sources: readonly Store[],
  object: string,
  expected: string | undefined,
  signal: AbortSignal,
): Promise<Store | undefined> => {
  if (sources.length === 0) return undefined;
  try {
    return (await firstGood(sources, object, expected, signal)).source;
  } catch (error) {
    if (isFailure(error)) return undefined;
    throw error;
  }
};
