import { type Catalog, query } from "./catalog.ts";

/** A store no longer has the object, and is asked for it no more, not even to delete it; what was found wrong with that copy ends with it. Idempotent. */
export const dropReplica = async (catalog: Catalog, object: string, store: string): Promise<void> => {
  await query(
    catalog,
    `dropping the replica of ${object} in ${store}`,
    `WITH ended AS (
       UPDATE dbgov.copy_finding SET ended_at = now(), outcome = 'deleted' WHERE object = $1 AND store = $2 AND ended_at IS NULL
     ), unprotected AS (
       DELETE FROM dbgov.protection WHERE object = $1 AND store = $2
     )
     DELETE FROM dbgov.replica WHERE object = $1 AND store = $2`,
    [object, store],
  );
};
