import { type Catalog, query } from "./catalog.ts";
import type { Instant } from "./records.ts";

/** A store's copies were read back at `at` and are intact. A later proof stays; nothing happens to replicas that are not recorded. */
export const markProven = async (catalog: Catalog, objects: readonly string[], store: string, at: Instant): Promise<void> => {
  if (objects.length === 0) return;
  // In one order, so that two verifications never wait for each other.
  await query(
    catalog,
    `recording the proof of ${objects.length} objects in ${store}`,
    `WITH proven AS (SELECT object FROM dbgov.replica WHERE object = ANY ($1::text[]) AND store = $2 ORDER BY object FOR UPDATE)
     UPDATE dbgov.replica r SET proven_at = greatest(r.proven_at, $3) FROM proven WHERE r.object = proven.object AND r.store = $2`,
    [objects, store, at],
  );
};
