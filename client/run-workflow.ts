import { setTimeout as delay } from "node:timers/promises";
import { type Client, WorkflowFailedError, type WorkflowHandle, WorkflowNotFoundError } from "@temporalio/client";
import { ApplicationFailure, CancelledFailure, type Workflow, WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import { Failure, type FailureType, failureTypes } from "../core/domain/failure.ts";
import { type TaskQueue, taskQueues } from "../core/domain/run.ts";
import { pollersOf } from "../workers/pollers.ts";

/** Refuses when nobody polls a queue that the run needs: it would wait for ever. */
export const requireWorkers = async (client: Client, queues: readonly TaskQueue[]): Promise<void> => {
  const pollers = await Promise.all(queues.map((queue) => pollersOf(client.workflowService, client.options.namespace, queue)));
  const missing = queues.find((_, at) => pollers[at]?.length === 0);
  if (missing !== undefined) throw new Failure("WorkerMissing", `no worker polls the task queue "${taskQueues[missing]}"`);
};

/** Starts a workflow under its id, or joins the run that is under way. */
export const startOrJoin = async <W extends Workflow>(
  client: Client,
  type: string,
  id: string,
  args: Parameters<W>,
  summary: string,
): Promise<{ readonly handle: WorkflowHandle<W>; readonly joined: boolean }> => {
  try {
    const handle = await client.workflow.start<W>(type, {
      workflowId: id,
      taskQueue: taskQueues.orchestrate,
      args,
      staticSummary: summary,
    } as never);
    return { handle: handle as unknown as WorkflowHandle<W>, joined: false };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return { handle: client.workflow.getHandle<W>(id), joined: true };
  }
};

/** The workflow's result; its failure as one of the table's. Calls `onTick` about every half second until then, and `onSilence` when that cannot look. */
export const awaitResult = async <T>(
  handle: { result(): Promise<T> },
  onTick: () => Promise<void>,
  onSilence: () => void = () => {},
): Promise<T> => {
  const over = new AbortController();
  const ended = handle.result().finally(() => over.abort());
  const ticking = (async () => {
    while (!over.signal.aborted) {
      // A look that fails says nothing about the run, but that no worker may be there to answer it.
      await onTick().catch(() => onSilence());
      // A timer that is left running would keep the command from ending.
      await delay(500, undefined, { signal: over.signal }).catch(() => {});
    }
  })();
  try {
    return await ended;
  } catch (error) {
    throw failureOfWorkflow(error);
  } finally {
    await ticking;
  }
};

export const failureOfWorkflow = (error: unknown): unknown => {
  if (error instanceof WorkflowNotFoundError)
    return new Failure("NameUnknown", `there is no such workflow: ${error.message}`, { cause: error });
  if (!(error instanceof WorkflowFailedError)) return error;
  for (let at: unknown = error.cause; at instanceof Error; at = at.cause) {
    if (at instanceof CancelledFailure) return new Failure("Unexpected", "the run was cancelled");
    if (at instanceof ApplicationFailure && at.type != null && at.type in failureTypes) {
      const cause = (at.details?.[0] as { cause?: string } | undefined)?.cause;
      return new Failure(at.type as FailureType, at.message, cause === undefined ? {} : { cause: new Error(cause) });
    }
  }
  return error;
};
