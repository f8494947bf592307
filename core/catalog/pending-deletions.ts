import { type Catalog, query } from "./catalog.ts";
import type { PendingDeletion } from "./records.ts";

/** Live snapshots of the database (of all, when it is undefined) that are marked to go, those that go first before others. */
export const pendingDeletions = (catalog: Catalog, database?: string): Promise<PendingDeletion[]> =>
  query(
    catalog,
    "listing what is marked to be deleted",
    `SELECT s.id AS snapshot, s.database, p.marked_at AS "markedAt", p.due_at AS "dueAt", p.reason
     FROM dbgov.pending_deletion p JOIN dbgov.snapshot s USING (snapshot_no)
     WHERE s.removed_at IS NULL AND ($1::text IS NULL OR s.database = $1) ORDER BY p.due_at, s.captured_at, s.id`,
    [database ?? null],
  );
