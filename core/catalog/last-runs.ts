import { type Catalog, query } from "./catalog.ts";
import type { RunRecord } from "./records.ts";

/** Runs, newest first: of one database, or all there are. 100 unless told. */
export const lastRuns = (catalog: Catalog, database?: string, limit = 100): Promise<RunRecord[]> =>
  query(
    catalog,
    "listing runs",
    `SELECT workflow_id AS "workflowId", run_id AS "runId", database, kind, started_at AS "startedAt", ended_at AS "endedAt", outcome,
       failure_type AS "failureType", message
     FROM dbgov.run WHERE $1::text IS NULL OR database = $1 ORDER BY started_at DESC, run_id LIMIT $2`,
    [database ?? null, limit],
  );
