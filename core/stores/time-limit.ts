import { formatDuration } from "../domain/duration.ts";
import { Failure } from "../domain/failure.ts";

export interface Limit {
  /** Begins the sentence when time runs out: `store "offsite" (https://…): put of packs/ab/…`. */
  readonly what: string;
  /** The caller's wish to stop. */
  readonly signal: AbortSignal;
  /** Time without progress after which the other side counts as unreachable. */
  readonly ms: number;
}

/** How long work that was told to stop may take to tidy up before it is left alone. */
const tidyMs = 2_000;
const slowestBytesPerMs = 65.536;

/** The time limit for a call that carries `bytes` without saying how far it is. */
export const limitFor = (silenceMs: number, bytes: number): number => silenceMs + bytes / slowestBytesPerMs;

/**
 * Runs `work` until it ends, the caller's signal aborts (throws the signal's reason) or `ms` pass without a call of
 * `progressed` (throws `StoreUnreachable`). Work is told to stop through its signal and awaited for a moment, so
 * that what it undoes is undone when the caller goes on.
 */
export const withinLimit = async <T>(limit: Limit, work: (signal: AbortSignal, progressed: () => void) => Promise<T>): Promise<T> => {
  limit.signal.throwIfAborted();
  const controller = new AbortController();
  let tidying: NodeJS.Timeout | undefined;
  let abandon: (reason: unknown) => void = () => {};
  const abandoned = new Promise<never>((_, reject) => {
    abandon = reject;
  });
  const stop = (reason: unknown): void => {
    if (controller.signal.aborted) return;
    controller.abort(reason);
    tidying = setTimeout(() => abandon(reason), tidyMs);
  };
  const onAbort = (): void => stop(limit.signal.reason);
  limit.signal.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(
    () => stop(new Failure("StoreUnreachable", `${limit.what}: no answer within ${formatDuration(limit.ms)}`)),
    limit.ms,
  );
  try {
    return await Promise.race([work(controller.signal, () => timer.refresh()), abandoned]);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    clearTimeout(tidying);
    limit.signal.removeEventListener("abort", onAbort);
  }
};
