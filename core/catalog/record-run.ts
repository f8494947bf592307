import { Failure, type FailureType } from "../domain/failure.ts";
import { type Catalog, query } from "./catalog.ts";
import type { Instant, RunKind, RunOutcome } from "./records.ts";

export interface RunStart {
  readonly workflowId: string;
  readonly runId: string;
  /** Null for runs that concern no single database. */
  readonly database: string | null;
  readonly kind: RunKind;
  readonly at: Instant;
}

/** A workflow run began. The first record stays. */
export const recordRunStarted = async (catalog: Catalog, { workflowId, runId, database, kind, at }: RunStart): Promise<void> => {
  await query(
    catalog,
    `recording the start of ${workflowId}`,
    "INSERT INTO dbgov.run (workflow_id, run_id, database, kind, started_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    [workflowId, runId, database, kind, at],
  );
};

export interface RunEnd {
  readonly workflowId: string;
  readonly runId: string;
  readonly outcome: RunOutcome;
  readonly failureType?: FailureType | undefined;
  readonly message?: string | undefined;
  readonly at: Instant;
}

/** It ended. Recorded again, the last outcome stays: a run's own word about itself can only get later, not older. */
export const recordRunEnded = async (catalog: Catalog, end: RunEnd): Promise<void> => {
  const rows = await query(
    catalog,
    `recording the end of ${end.workflowId}`,
    `UPDATE dbgov.run SET ended_at = $3, outcome = $4, failure_type = $5, message = $6
     WHERE workflow_id = $1 AND run_id = $2 RETURNING 1`,
    [end.workflowId, end.runId, end.at, end.outcome, end.failureType ?? null, end.message ?? null],
  );
  if (rows.length === 0) throw new Failure("Unexpected", `run ${end.runId} of ${end.workflowId} ended, but its start was never recorded`);
};
