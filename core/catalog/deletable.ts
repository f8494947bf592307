import { type Catalog, query } from "./catalog.ts";
import type { DeletableObject, Instant } from "./records.ts";

/**
 * Objects that may go from the stores: condemned before that time, or whose deletion began and is not finished; and the
 * stored envelopes of destroyed ones, which wait for nothing. Oldest first, at most `limit`.
 */
export const deletable = (catalog: Catalog, condemnedBefore: Instant, limit: number): Promise<DeletableObject[]> =>
  query(
    catalog,
    "listing what can be deleted",
    `SELECT d.key, d.kind, d.id, ARRAY(SELECT r.store FROM dbgov.replica r WHERE r.object = d.key ORDER BY r.store) AS stores
     FROM dbgov.doomed d WHERE d.condemned_at < $1 ORDER BY d.condemned_at, d.key LIMIT $2`,
    [condemnedBefore, limit],
  );
