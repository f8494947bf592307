import { type Catalog, query } from "./catalog.ts";

/** A store no longer has the object, and is asked for it no more, not even to delete it. Idempotent. */
export const dropReplica = async (catalog: Catalog, object: string, store: string): Promise<void> => {
  await query(catalog, `dropping the replica of ${object} in ${store}`, "DELETE FROM dbgov.replica WHERE object = $1 AND store = $2", [
    object,
    store,
  ]);
};
