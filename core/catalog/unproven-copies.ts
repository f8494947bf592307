import { type Catalog, query } from "./catalog.ts";

/** Objects that a store was given, and that nothing has shown to be there since; the oldest first, at most `most`. */
export const unprovenCopies = async (catalog: Catalog, store: string, most = 200): Promise<string[]> =>
  (
    await query<{ object: string }>(
      catalog,
      `looking for unproven copies in ${store}`,
      `SELECT object FROM dbgov.replica WHERE store = $1 AND receipt IS NOT NULL AND proven_at IS NULL AND lost_at IS NULL
       ORDER BY recorded_at, object LIMIT $2`,
      [store, most],
    )
  ).map(({ object }) => object);
