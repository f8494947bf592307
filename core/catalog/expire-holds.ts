import { type Catalog, query } from "./catalog.ts";
import type { Instant } from "./records.ts";

const ownEnd = "its own end";

/**
 * Writes down that holds whose end has come stand no longer: by the catalog's clock, too, which decides what is held. A worker whose own
 * runs ahead ends none for good. Returns every hold that ended so and whose end the log does not tell yet,
 * with the database that it concerned.
 */
export const expireHolds = async (catalog: Catalog, at: Instant): Promise<{ id: string; database: string | null }[]> => {
  const text = "UPDATE dbgov.hold SET lifted_at = until, lifted_by = $2 WHERE lifted_at IS NULL AND until <= least($1, now())";
  await query(catalog, "ending holds", text, [at, ownEnd]);
  return await query(
    catalog,
    "listing holds that have ended",
    `SELECT h.id, coalesce(h.database, s.database) AS database FROM dbgov.hold h LEFT JOIN dbgov.snapshot s ON s.id = h.snapshot
     WHERE h.lifted_by = $1 AND NOT EXISTS (SELECT FROM dbgov.log_entry e WHERE e.identity = 'hold-lifted/' || h.id) ORDER BY h.id`,
    [ownEnd],
  );
};
