import { Worker } from "node:worker_threads";
import { redact } from "../config/redact.ts";
import { Failure, type FailureType } from "../domain/failure.ts";
import type { JobName, Jobs } from "./jobs.ts";

/** What goes to a thread, and what comes back; `id` tells its jobs apart. */
export type ToThread =
  | { readonly id: number; readonly job: JobName; readonly input: unknown }
  | { readonly id: number; readonly abort: true };
export type FromThread = { readonly id: number } & (
  | { readonly progress: unknown }
  | { readonly settling: true }
  | { readonly result: unknown }
  | { readonly failure: { readonly type: FailureType; readonly message: string; readonly cause: string } }
);

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

interface Thread {
  readonly worker: Worker;
  /** Has a job that needs the processor. */
  busy: boolean;
  /** Has a job that only waits for its last writes. Beside it, and only beside one, there is room for the next. */
  settling: boolean;
}

/** A pool of at most `size` threads, started when needed and kept for the next job, each doing one job at a time. */
export const openThreadPool = (size: number): ThreadPool => {
  const threads = new Set<Thread>();
  const waiting: (() => void)[] = [];
  let lastId = 0;

  const start = (): Thread => {
    const thread = { worker: new Worker(new URL("./thread.ts", import.meta.url), { name: "dbgov-job" }), busy: false, settling: false };
    // Each job listens for the three events that may end it.
    thread.worker.setMaxListeners(20).unref();
    threads.add(thread);
    const forget = (): void => {
      threads.delete(thread);
      wakeNext();
    };
    thread.worker.once("error", forget).once("exit", forget);
    return thread;
  };

  /** A thread that does nothing is taken before one that settles, and one that settles before a new one. */
  const free = (): Thread | undefined => {
    const able = [...threads].filter(({ busy }) => !busy);
    return able.find(({ settling }) => !settling) ?? able[0] ?? (threads.size < size ? start() : undefined);
  };

  const wakeNext = (): void => waiting.shift()?.();

  const acquire = async (): Promise<Thread> => {
    for (;;) {
      const thread = free();
      if (thread !== undefined) {
        thread.busy = true;
        thread.worker.ref();
        return thread;
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };

  return {
    run: async (job, input, { signal, onProgress }) => {
      signal.throwIfAborted();
      const thread = await acquire();
      const { worker } = thread;
      const id = ++lastId;
      let settling = false;
      let killTimer: NodeJS.Timeout | undefined;
      const abort = (): void => {
        worker.postMessage({ id, abort: true } satisfies ToThread);
        killTimer = setTimeout(() => void worker.terminate(), abortGraceMs);
      };
      signal.addEventListener("abort", abort, { once: true });
      let detach = (): void => {};
      try {
        return await new Promise<Jobs[typeof job]["result"]>((resolve, reject) => {
          const onMessage = (message: FromThread): void => {
            if (message.id !== id) return;
            if ("progress" in message) {
              onProgress?.(message.progress as Jobs[typeof job]["progress"]);
            } else if ("settling" in message) {
              if (thread.settling) return;
              settling = true;
              thread.settling = true;
              thread.busy = false;
              wakeNext();
            } else if ("result" in message) resolve(message.result as Jobs[typeof job]["result"]);
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
          worker.postMessage({ id, job, input } satisfies ToThread);
          if (signal.aborted) abort();
        });
      } finally {
        detach();
        clearTimeout(killTimer);
        signal.removeEventListener("abort", abort);
        if (settling) thread.settling = false;
        else thread.busy = false;
        if (!thread.busy && !thread.settling) worker.unref();
        wakeNext();
      }
    },
    close: async () => {
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
};
