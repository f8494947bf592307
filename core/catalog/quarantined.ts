import { type Catalog, query } from "./catalog.ts";
import type { LostCopy } from "./lost-copies.ts";

/** Bad copies that are kept for examination in these stores, those first that were looked at longest ago; at most `most`. */
export const quarantinedObjects = (catalog: Catalog, stores: readonly string[], most: number): Promise<LostCopy[]> =>
  query(
    catalog,
    "listing what is in quarantine",
    `SELECT object, store FROM dbgov.replica WHERE object LIKE 'quarantine/%' AND store = ANY ($1::text[])
     ORDER BY coalesce(asked_at, recorded_at), object, store LIMIT $2`,
    [stores, most],
  );
