import { parentPort } from "node:worker_threads";
import { asFailure } from "../domain/failure.ts";
import { forgetMemory } from "../repository/spare-memory.ts";
import { describeCause } from "./describe-cause.ts";
import { type JobProgress, loadJob } from "./jobs.ts";
import type { FromThread, ToThread } from "./thread-pool.ts";

/** The entry of a job thread: does one job at a time, and stays for the next. */
const port = parentPort;
if (port === null) throw new Error("core/snapshot/thread.ts runs as a worker thread only");

const send = (message: FromThread): void => port.postMessage(message);
let current: AbortController | undefined;

/** Every message wakes the other thread: progress that nobody could see passing is not worth it. */
const progressEveryMs = 100;

const createReporter = (): ((progress: JobProgress) => void) => {
  let last = 0;
  return (progress) => {
    const now = performance.now();
    if (progress.checkpoint === undefined && now - last < progressEveryMs) return;
    last = now;
    send({ progress });
  };
};

const work = async (message: Extract<ToThread, { job: unknown }>): Promise<void> => {
  const controller = new AbortController();
  current = controller;
  if (message.job !== "capture") forgetMemory();
  try {
    const job = await loadJob(message.job);
    // The pool pairs each job's name with its own input; the pairing is lost to the type checker at the message port.
    const run = job as (input: unknown, context: { report: (progress: JobProgress) => void; signal: AbortSignal }) => Promise<unknown>;
    const result = await run(message.input, { report: createReporter(), signal: controller.signal });
    send({ result });
  } catch (error) {
    const failure = asFailure(error, `the ${message.job} job failed`);
    send({ failure: { type: failure.type, message: failure.message, cause: describeCause(failure.cause) } });
  } finally {
    current = undefined;
  }
};

port.on("message", (message: ToThread) => {
  if ("abort" in message) current?.abort(new Error("the job was cancelled"));
  else void work(message);
});
