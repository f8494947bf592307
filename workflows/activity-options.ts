import type { ActivityOptions } from "@temporalio/common";
import { attemptsWithin, retryIntervals } from "../core/domain/retry.ts";
import { type TaskQueue, taskQueues } from "../core/domain/run.ts";

const minutes = 60_000;

/** For work that says every two seconds that it is alive (`activities/keep-alive.ts`, the hold), or whose worker says it (`workers/alive-interceptor.ts`). */
export const aliveWithin = 12_000;

/** How long the ledger is waited for when what has to be logged is done already, and would otherwise stand in no entry. */
export const untilLogged = 24 * 60 * minutes;

/**
 * Options of a step on one of the task queues. A step is tried again only for failures that the failure table calls
 * retryable (the worker marks all others), and for workers that vanish.
 *
 * @param patience milliseconds over which attempts are spread
 * @param longest milliseconds that one attempt may take
 */
export const step = (
  queue: TaskQueue,
  { patience = 5 * minutes, longest = 10 * minutes }: { patience?: number; longest?: number } = {},
): ActivityOptions => ({
  taskQueue: taskQueues[queue],
  startToCloseTimeout: longest,
  heartbeatTimeout: aliveWithin,
  retry: {
    initialInterval: retryIntervals.firstMs,
    backoffCoefficient: retryIntervals.factor,
    maximumInterval: retryIntervals.mostMs,
    maximumAttempts: attemptsWithin(patience),
  },
});

/** As `step`, for work that sends heartbeats: a worker that vanishes is noticed within `silence` milliseconds. */
export const longStep = (
  queue: TaskQueue,
  { patience = 5 * minutes, silence = 1 * minutes }: { patience?: number; silence?: number } = {},
): ActivityOptions => ({
  ...step(queue, { patience, longest: 7 * 24 * 60 * minutes }),
  heartbeatTimeout: silence,
});
