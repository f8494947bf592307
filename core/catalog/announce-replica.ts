import { type Catalog, query } from "./catalog.ts";

/**
 * An object is about to be put into a store. It does not count as being there; but whatever becomes of the put, a
 * deletion of the object will look there, too. Idempotent, and nothing changes for an object that is recorded.
 */
export const announceReplica = async (catalog: Catalog, object: string, store: string, bytes: number): Promise<void> => {
  await query(
    catalog,
    `announcing ${object} in ${store}`,
    "INSERT INTO dbgov.replica (object, store, bytes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    [object, store, bytes],
  );
};
