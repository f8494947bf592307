import type { Worker } from "node:worker_threads";
import { redact } from "../config/redact.ts";
import { Failure, type FailureType } from "../domain/failure.ts";
import type { JobName, Jobs } from "./jobs.ts";
import type { LoopDelay } from "./loop-delay.ts";

/** What goes to a thread, and what comes back; `id` tells its jobs apart. */
export type ToThread =
  | { readonly id: number; readonly job: JobName; readonly input: unknown }
  | { readonly id: number; readonly abort: true };
export type FromThread = { readonly id: number } & (
  | { readonly progress: unknown }
  | { readonly settling: true }
  | { readonly delay: LoopDelay }
  | { readonly result: unknown }
  | { readonly failure: { readonly type: FailureType; readonly message: string; readonly cause: string } }
);

export interface ThreadJob<N extends JobName> {
  readonly job: N;
  readonly input: Jobs[N]["input"];
  readonly signal: AbortSignal;
  readonly onProgress: ((progress: Jobs[N]["progress"]) => void) | undefined;
  readonly onSettling: () => void;
  /** Called when it has ended, with what it did to the thread's event loop. */
  readonly onDelay: (delay: LoopDelay) => void;
  /** The job does not stop: its thread has to end, and whatever else it does with it. */
  readonly onStuck: () => void;
}

/** How long an aborted job may take to close its connections before its thread is ended. */
const abortGraceMs = 5_000;

/** The thread was ended because of another job. */
export class ThreadGone extends Error {}

let lastId = 0;

/** Does one job in a thread. Rejects with its `Failure`, with the signal's reason once it has stopped, or with `ThreadGone`. */
export const runInThread = async <N extends JobName>(
  worker: Worker,
  options: ThreadJob<N>,
  gone: () => boolean,
): Promise<Jobs[N]["result"]> => {
  const { job, input, signal, onProgress, onSettling, onStuck, onDelay } = options;
  const id = ++lastId;
  let killTimer: NodeJS.Timeout | undefined;
  const abort = (): void => {
    worker.postMessage({ id, abort: true } satisfies ToThread);
    killTimer = setTimeout(onStuck, abortGraceMs);
  };
  let detach = (): void => {};
  try {
    return await new Promise<Jobs[N]["result"]>((resolve, reject) => {
      const onMessage = (message: FromThread): void => {
        if (message.id !== id) return;
        if ("progress" in message) onProgress?.(message.progress as Jobs[N]["progress"]);
        else if ("settling" in message) onSettling();
        else if ("delay" in message) onDelay(message.delay);
        else if ("result" in message) resolve(message.result as Jobs[N]["result"]);
        else if (signal.aborted) reject(signal.reason);
        else {
          // Secrets are registered in this thread, not in the job's.
          const { type, message: sentence, cause } = message.failure;
          reject(new Failure(type, redact(sentence), cause === "" ? {} : { cause: new Error(redact(cause)) }));
        }
      };
      const onError = (cause: unknown): void => reject(new Failure("Unexpected", `the ${job} thread broke down`, { cause }));
      const onExit = (): void => {
        if (signal.aborted) reject(signal.reason);
        else reject(gone() ? new ThreadGone() : new Failure("Unexpected", `the ${job} thread ended early`));
      };
      worker.on("message", onMessage).on("error", onError).on("exit", onExit);
      signal.addEventListener("abort", abort, { once: true });
      detach = () => void worker.off("message", onMessage).off("error", onError).off("exit", onExit);
      worker.postMessage({ id, job, input } satisfies ToThread);
      if (signal.aborted) abort();
    });
  } finally {
    detach();
    clearTimeout(killTimer);
    signal.removeEventListener("abort", abort);
  }
};
