import { type Catalog, query } from "./catalog.ts";

/**
 * Objects that were about to be put into a store, and are not recorded as being there; those first that were looked at longest ago (see `markAsked`), at
 * most `most`. What is kept in quarantine is no copy.
 */
export const announcedCopies = async (catalog: Catalog, store: string, most = 500): Promise<string[]> =>
  (
    await query<{ object: string }>(
      catalog,
      `looking for announced copies in ${store}`,
      `SELECT object FROM dbgov.replica WHERE store = $1 AND receipt IS NULL AND lost_at IS NULL AND object NOT LIKE 'quarantine/%'
       ORDER BY coalesce(asked_at, recorded_at), object LIMIT $2`,
      [store, most],
    )
  ).map(({ object }) => object);
