import { type Catalog, query } from "./catalog.ts";

/** A snapshot that was removed, which the log does not tell yet. */
export interface UnloggedRemoval {
  readonly snapshot: string;
  /** Two persons had asked for it. */
  readonly requested: boolean;
}

/**
 * What a run removed of the database before it broke off: its envelopes are destroyed, and nothing says so. Removals that a rebuilt
 * catalog knows of come from the log itself.
 */
export const unloggedRemovals = (catalog: Catalog, database: string): Promise<UnloggedRemoval[]> =>
  query(
    catalog,
    `comparing the removals of ${database} with the log`,
    `SELECT s.id AS snapshot, coalesce(r.result -> 'requested' ? s.id, false) AS requested
     FROM dbgov.snapshot s JOIN dbgov.removal r USING (removal_no)
     WHERE s.database = $1 AND NOT EXISTS (SELECT FROM dbgov.log_entry e WHERE e.identity = 'deleted/' || s.id) ORDER BY s.id`,
    [database],
  );
