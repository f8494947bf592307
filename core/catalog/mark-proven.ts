import { type Catalog, query } from "./catalog.ts";
import type { Instant } from "./records.ts";

/** A store's copy was read back at `at` and is intact. A later proof stays; nothing happens when the replica is not recorded. */
export const markProven = async (catalog: Catalog, object: string, store: string, at: Instant): Promise<void> => {
  await query(
    catalog,
    `recording the proof of ${object} in ${store}`,
    "UPDATE dbgov.replica SET proven_at = greatest(proven_at, $3) WHERE object = $1 AND store = $2",
    [object, store, at],
  );
};
