import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TimeoutFailure } from "@temporalio/workflow";
import { type FailureType, failureTypes } from "../core/domain/failure.ts";

export interface KnownFailure {
  readonly type: FailureType;
  readonly message: string;
}

const isFailureType = (type: string | null | undefined): type is FailureType => type !== null && type !== undefined && type in failureTypes;

/** The failure of the table that an activity's or child's error carries. */
export const failureOf = (error: unknown): KnownFailure => {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof ApplicationFailure && isFailureType(at.type)) return { type: at.type, message: at.message };
    // What the SDK reports for work that a worker gave up because it was told to stop.
    if (at instanceof ApplicationFailure && at.type === "WorkerShutdown") {
      return { type: "WorkerMissing", message: "the worker was stopped before it had finished the step" };
    }
    if (at instanceof TimeoutFailure) return { type: "WorkerMissing", message: `no worker finished the step in time (${at.timeoutType})` };
    if (!(at instanceof ActivityFailure || at instanceof ChildWorkflowFailure || at instanceof ApplicationFailure)) break;
  }
  return { type: "Unexpected", message: error instanceof Error ? error.message : String(error) };
};

export const failWith = (type: FailureType, message: string): ApplicationFailure =>
  ApplicationFailure.create({ type, message, nonRetryable: true });
