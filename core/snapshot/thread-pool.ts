import { Worker } from "node:worker_threads";
// Made before the first thread starts, so that every thread has it.
import "../databases/cosmos/spent-memory.ts";
import type { JobName, Jobs } from "./jobs.ts";
import { type LoopDelay, openLoopDelayMeter } from "./loop-delay.ts";
import { runInThread, ThreadGone } from "./thread-job.ts";

export interface ThreadPool {
  /** Runs a job in a free thread, waiting for one. Rejects with the job's `Failure`, or with the signal's reason once the job has stopped. */
  run<N extends JobName>(
    job: N,
    input: Jobs[N]["input"],
    options: { readonly signal: AbortSignal; readonly onProgress?: (progress: Jobs[N]["progress"]) => void },
  ): Promise<Jobs[N]["result"]>;
  close(): Promise<void>;
}

/**
 * A capture waits for the database and for its compression about half of the time. Two of them keep a thread busy, and share its
 * memory; another job has a thread of its own.
 */
const capturesInThread = 2;

interface Thread {
  readonly worker: Worker;
  /** Jobs that need the processor. */
  readonly busy: JobName[];
  /** Whether a capture only waits for its last writes. Beside it, and only beside one, the next may begin. */
  settling: boolean;
  /** It is being ended because one of its jobs did not stop. */
  ending: boolean;
}

/** What a job did to the event loop of its thread, or of the thread that the pool is in (`main`), until it ended. */
export interface JobLoopDelay extends LoopDelay {
  readonly loop: string;
  readonly during: JobName;
}

/** At most `size` jobs at once, in threads that are started when needed and kept for the next job. */
export const openThreadPool = (size: number, onLoopDelay: (delay: JobLoopDelay) => void = () => {}): ThreadPool => {
  const threads = new Set<Thread>();
  const waiting: (() => void)[] = [];
  const meters = new Map<JobName, ReturnType<typeof openLoopDelayMeter>>();
  const meterOf = (job: JobName) => meters.get(job) ?? meters.set(job, openLoopDelayMeter()).get(job)!;

  /** Whoever waits looks again. */
  const wake = (): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };

  const start = (): Thread => {
    const worker = new Worker(new URL("./thread.ts", import.meta.url), { name: "dbgov-job" });
    const thread: Thread = { worker, busy: [], settling: false, ending: false };
    // Each job listens for the events that may end it.
    worker.setMaxListeners(20).unref();
    threads.add(thread);
    const forget = (): void => {
      threads.delete(thread);
      wake();
    };
    worker.once("error", forget).once("exit", forget);
    return thread;
  };

  const place = (job: JobName): Thread | undefined => {
    const able = [...threads].filter(({ ending }) => !ending);
    if (able.reduce((sum, { busy }) => sum + busy.length, 0) >= size) return undefined;
    const shared = ({ busy }: Thread): boolean =>
      busy.length > 0 && busy.length < capturesInThread && busy.every((name) => name === "capture");
    const idle = able.find(({ busy, settling }) => busy.length === 0 && (!settling || job === "capture"));
    return (job === "capture" ? able.find(shared) : undefined) ?? idle ?? (threads.size < size ? start() : undefined);
  };

  const acquire = async (job: JobName): Promise<Thread> => {
    for (;;) {
      const thread = place(job);
      if (thread !== undefined) {
        thread.busy.push(job);
        thread.worker.ref();
        return thread;
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };

  const attempt = async <N extends JobName>(job: N, input: Jobs[N]["input"], options: Parameters<ThreadPool["run"]>[2]) => {
    const thread = await acquire(job);
    const leave = (): void => {
      thread.busy.splice(thread.busy.indexOf(job), 1);
      wake();
    };
    let settling = false;
    const onSettling = (): void => {
      if (thread.settling) return;
      settling = true;
      thread.settling = true;
      leave();
    };
    const onStuck = (): void => {
      thread.ending = true;
      void thread.worker.terminate();
    };
    const onDelay = (delay: LoopDelay): void => onLoopDelay({ ...delay, loop: `thread-${thread.worker.threadId}`, during: job });
    const { signal, onProgress } = options;
    meterOf(job).begin();
    try {
      return await runInThread(thread.worker, { job, input, signal, onProgress, onSettling, onStuck, onDelay }, () => thread.ending);
    } finally {
      onLoopDelay({ ...meterOf(job).end(), loop: "main", during: job });
      if (settling) thread.settling = false;
      else leave();
      if (thread.busy.length === 0 && !thread.settling) thread.worker.unref();
      wake();
    }
  };

  return {
    run: async (job, input, options) => {
      for (;;) {
        options.signal.throwIfAborted();
        try {
          return await attempt(job, input, options as Parameters<ThreadPool["run"]>[2]);
        } catch (error) {
          // Only captures share a thread, and a capture may be done twice.
          if (!(error instanceof ThreadGone)) throw error;
        }
      }
    },
    close: async () => {
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
};
