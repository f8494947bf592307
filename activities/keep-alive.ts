import { cancellationSignal, heartbeat } from "@temporalio/activity";
import { formatDuration } from "../core/domain/duration.ts";
import { Failure, type FailureType } from "../core/domain/failure.ts";

/** How often a worker says that it still has the work: what its absence, and a cancellation, are noticed by. */
const beatEveryMs = 2_000;

export interface Stall {
  /** Milliseconds without a step forward after which the work is ended: longer than any single step of it may take. */
  readonly afterMs: number;
  /** The failure's type: what is to blame when nothing moves. */
  readonly type: FailureType;
  /** Begins the failure's sentence: `capture of shop`. */
  readonly what: string;
}

/**
 * Runs work that says when it has come a step further. Each heartbeat carries the last such word and how long ago it
 * was. A heartbeat alone proves only that the process lives, so work that stands still for too long is ended, and fails.
 */
export const keepAlive = async <T>(
  stall: Stall,
  work: (report: (details: object) => void, signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  let details: object = {};
  let movedAt = performance.now();
  const stuck = new AbortController();
  const { promise: stalled, reject } = Promise.withResolvers<never>();
  stalled.catch(() => {});
  const beat = setInterval(() => {
    const idleMs = performance.now() - movedAt;
    if (idleMs < stall.afterMs) return heartbeat({ ...details, idleSeconds: Math.round(idleMs / 1_000) });
    const failure = new Failure(stall.type, `${stall.what} has stood still for ${formatDuration(stall.afterMs)}`);
    stuck.abort(failure);
    reject(failure);
  }, beatEveryMs);
  const report = (next: object): void => {
    details = next;
    movedAt = performance.now();
  };
  try {
    return await Promise.race([work(report, AbortSignal.any([cancellationSignal(), stuck.signal])), stalled]);
  } finally {
    clearInterval(beat);
    // What is kept of the work must be told even when it ended between two beats.
    if (Object.keys(details).length > 0) heartbeat(details);
  }
};
