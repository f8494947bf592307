import type { Catalog } from "../../core/catalog/catalog.ts";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { markProven } from "../../core/catalog/mark-proven.ts";
import type { PlacedObject } from "../../core/catalog/placed-objects.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { hashInName, partsOfKey } from "../../core/repository/object-keys.ts";
import type { Site } from "../../core/site/site.ts";
import { hashObject } from "../../core/stores/hash-object.ts";

/**
 * Why a store's copy cannot be let go yet; undefined when the others suffice: all that had the object when the page was planned still do, and one of
 * them has shown that its copy is good. Where none ever has, one is read now, since what goes may be the only good one.
 */
export const whyStillNeeded = async (
  site: Site,
  catalog: Catalog,
  { key, holders }: PlacedObject,
  leaving: string,
  signal: AbortSignal,
): Promise<string | undefined> => {
  const others = (await listReplicas(catalog, [key])).filter(({ store }) => store !== leaving);
  const now = new Set(others.map(({ store }) => store));
  // A rate makes a page long: what another store was found to have lost meanwhile is planned again by the next run.
  if (holders.some((holder) => holder !== leaving && !now.has(holder))) return "another store has lost its copy meanwhile";
  // What is archived was good once, and shows nothing now.
  if (others.some(({ provenAt, archived }) => provenAt !== null && !archived)) return undefined;
  const { kind, id } = partsOfKey(key);
  const expected = kind === "manifests" ? (await getSnapshot(catalog, id))?.manifestHash : hashInName(key);
  for (const { store, bytes } of others) {
    try {
      if ((await hashObject(await site.store(store), key, bytes, signal)) !== expected) continue;
      await markProven(catalog, [key], store, new Date());
      return undefined;
    } catch (error) {
      // Away, missing or refused: then it has shown nothing, and the next one is asked. Repair finds out what is wrong with it.
      if (!isFailure(error)) throw error;
    }
  }
  return "no other store has shown a good copy: `dbgov repair` says what is wrong, and replaces it";
};
