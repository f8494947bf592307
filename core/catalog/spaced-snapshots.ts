import { type Catalog, query } from "./catalog.ts";

/** What decides whether a snapshot counts, and what the newest are judged by. */
export interface SpacedRecord {
  readonly snapshot: string;
  readonly capturedAt: string;
  readonly sealedAt: string;
  readonly replicated: boolean;
  readonly verified: boolean;
  readonly held: boolean;
  readonly rows: number;
  readonly removed: boolean;
}

/** Every snapshot that the database ever had, removed ones among them: whether one counts depends on those before it. */
export const spacedSnapshots = (catalog: Catalog, database: string): Promise<SpacedRecord[]> =>
  query(
    catalog,
    `listing the snapshots of ${database}`,
    `SELECT s.id AS snapshot, s.captured_at AS "capturedAt", s.rows, s.removed_at IS NOT NULL AS removed, coalesce(l.held, false) AS held,
       coalesce(max(x.reached_at) FILTER (WHERE x.state = 'sealed'), s.committed_at) AS "sealedAt",
       coalesce(bool_or(x.state IN ('replicated', 'logged')), false) AS replicated,
       coalesce(bool_or(x.state = 'verified'), false) AS verified
     FROM dbgov.snapshot s LEFT JOIN dbgov.live_snapshot l USING (snapshot_no) LEFT JOIN dbgov.snapshot_state x USING (snapshot_no)
     WHERE s.database = $1 GROUP BY s.snapshot_no, l.held ORDER BY s.captured_at DESC, s.id DESC`,
    [database],
  );
