import { type Catalog, query } from "./catalog.ts";
import type { LiveSnapshot } from "./records.ts";

/** What retention judges: the snapshots of a database that were not removed, newest first. */
export const liveSnapshots = (catalog: Catalog, database: string): Promise<LiveSnapshot[]> =>
  query(
    catalog,
    `listing the live snapshots of ${database}`,
    `SELECT id AS snapshot, captured_at AS "capturedAt", held,
       ARRAY(SELECT state FROM dbgov.snapshot_state x WHERE x.snapshot_no = s.snapshot_no ORDER BY reached_at) AS states
     FROM dbgov.live_snapshot s WHERE database = $1 ORDER BY captured_at DESC, id DESC`,
    [database],
  );
