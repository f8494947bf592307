import { type Catalog, query } from "./catalog.ts";
import { liveObject } from "./live-object.ts";

/**
 * A store's copy is missing or altered: it counts as missing there from now on, and the next repair replaces it. It stays written down, so that a
 * deletion of the object looks there, too, for whatever is left of it. Whether that is news: not for a copy that is not recorded, nor for
 * an object whose deletion has begun, which may be gone by right. Idempotent.
 */
export const loseReplica = async (catalog: Catalog, object: string, store: string): Promise<boolean> => {
  const lost = await query(
    catalog,
    `noting the copy of ${object} in ${store} as lost`,
    `UPDATE dbgov.replica r SET receipt = NULL, proven_at = NULL, challenged_at = NULL, lost_at = coalesce(lost_at, now())
     WHERE r.object = $1 AND r.store = $2 AND ${liveObject("r.object")} RETURNING 1`,
    [object, store],
  );
  return lost.length > 0;
};
