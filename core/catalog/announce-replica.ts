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

/** The same for many, whose sizes are not known before they are read. */
export const announceReplicas = async (catalog: Catalog, objects: readonly string[], store: string): Promise<void> => {
  if (objects.length === 0) return;
  await query(
    catalog,
    `announcing ${objects.length} objects in ${store}`,
    // Sorted, so that two calls never wait for each other.
    "INSERT INTO dbgov.replica (object, store, bytes) SELECT object, $2, 0 FROM unnest($1::text[]) AS object ORDER BY object ON CONFLICT DO NOTHING",
    [objects, store],
  );
};
