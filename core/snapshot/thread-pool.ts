import { Worker } from "node:worker_threads";
import { redact } from "../config/redact.ts";
import { Failure, type FailureType } from "../domain/failure.ts";
import type { JobName, Jobs } from "./jobs.ts";

/** What goes to a thread, and what comes back. */
export type ToThread = { readonly job: JobName; readonly input: unknown } | { readonly abort: true };
export type FromThread =
  | { readonly progress: unknown }
  | { readonly result: unknown }
  | { readonly failure: { readonly type: FailureType; readonly message: string; readonly cause: string } };

export interface ThreadPool {
  /** Runs a job in a free thread, waiting for one. Rejects with the job's `Failure`, or with the signal's reason once the job has stopped. */
  run<N extends JobName>(
    job: N,
    input: Jobs[N]["input"],
    options: { readonly signal: AbortSignal; readonly onProgress?: (progress: Jobs[N]["progress"]) => void },
  ): Promise<Jobs[N]["result"]>;
  close(): Promise<void>;
}

/** How long an aborted job may take to close its connections before its thread is ended. */
const abortGraceMs = 5_000;

/** A pool of at most `size` threads, started when needed and kept for the next job, each doing one job at a time. */
export const openThreadPool = (size: number): ThreadPool => {
  const idle: Worker[] = [];
  const all = new Set<Worker>();
  const waiting: (() => void)[] = [];
  let busy = 0;

  const acquire = async (): Promise<Worker> => {
    while (busy >= size) await new Promise<void>((resolve) => waiting.push(resolve));
    busy += 1;
    const kept = idle.pop();
    if (kept !== undefined) return kept;
    const worker = new Worker(new URL("./thread.ts", import.meta.url), { name: "dbgov-job" });
    worker.unref();
    all.add(worker);
    worker.once("exit", () => {
      all.delete(worker);
      const at = idle.indexOf(worker);
      if (at >= 0) idle.splice(at, 1);
    });
    return worker;
  };

  const release = (worker: Worker, reusable: boolean): void => {
    busy -= 1;
    if (reusable && all.has(worker)) {
      worker.unref();
      idle.push(worker);
    }
    waiting.shift()?.();
  };

  return {
    run: async (job, input, { signal, onProgress }) => {
      signal.throwIfAborted();
      const worker = await acquire();
      worker.ref();
      let reusable = false;
      let killTimer: NodeJS.Timeout | undefined;
      const abort = (): void => {
        worker.postMessage({ abort: true } satisfies ToThread);
        killTimer = setTimeout(() => void worker.terminate(), abortGraceMs);
      };
      signal.addEventListener("abort", abort, { once: true });
      let detach = (): void => {};
      try {
        return await new Promise<Jobs[typeof job]["result"]>((resolve, reject) => {
          const onMessage = (message: FromThread): void => {
            if ("progress" in message) {
              onProgress?.(message.progress as Jobs[typeof job]["progress"]);
              return;
            }
            reusable = true;
            if ("result" in message) resolve(message.result as Jobs[typeof job]["result"]);
            else if (signal.aborted) reject(signal.reason);
            else {
              // Secrets are registered in this thread, not in the job's.
              const { type, message: sentence, cause } = message.failure;
              reject(new Failure(type, redact(sentence), cause === "" ? {} : { cause: new Error(redact(cause)) }));
            }
          };
          const onError = (cause: unknown): void => reject(new Failure("Unexpected", `the ${job} thread broke down`, { cause }));
          const onExit = (): void => reject(signal.aborted ? signal.reason : new Failure("Unexpected", `the ${job} thread ended early`));
          worker.on("message", onMessage).on("error", onError).on("exit", onExit);
          detach = () => void worker.off("message", onMessage).off("error", onError).off("exit", onExit);
          worker.postMessage({ job, input } satisfies ToThread);
          if (signal.aborted) abort();
        });
      } finally {
        detach();
        clearTimeout(killTimer);
        signal.removeEventListener("abort", abort);
        release(worker, reusable);
      }
    },
    close: async () => {
      await Promise.all([...all].map((worker) => worker.terminate()));
    },
  };
};
