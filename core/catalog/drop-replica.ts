import { type Catalog, query } from "./catalog.ts";

/** A store no longer has the object, or has it damaged: it counts as missing there from now on. Idempotent. */
export const dropReplica = async (catalog: Catalog, object: string, store: string): Promise<void> => {
  await query(catalog, `dropping the replica of ${object} in ${store}`, "DELETE FROM dbgov.replica WHERE object = $1 AND store = $2", [
    object,
    store,
  ]);
};
