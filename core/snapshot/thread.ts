import { parentPort } from "node:worker_threads";
import { asFailure } from "../domain/failure.ts";
import { forgetMemory } from "../repository/spare-memory.ts";
import { describeCause } from "./describe-cause.ts";
import { type JobContext, type JobProgress, loadJob } from "./jobs.ts";
import { openLoopDelayMeter } from "./loop-delay.ts";
import type { FromThread, ToThread } from "./thread-job.ts";

/** The entry of a job thread: does what the pool sends, and stays for the next job. */
const port = parentPort;
if (port === null) throw new Error("core/snapshot/thread.ts runs as a worker thread only");

const send = (message: FromThread): void => port.postMessage(message);
const running = new Map<number, AbortController>();
const meter = openLoopDelayMeter();
/** Between two jobs of one capture lies less than this. */
const idleMs = 100;
let forgetting: NodeJS.Timeout | undefined;

/** Every message wakes the other thread: progress that nobody could see passing is not worth it. */
const progressEveryMs = 100;

const createReporter = (id: number): ((progress: JobProgress) => void) => {
  let last = 0;
  return (progress) => {
    const now = performance.now();
    if (progress.checkpoint === undefined && now - last < progressEveryMs) return;
    last = now;
    send({ id, progress });
  };
};

const work = async ({ id, job: name, input }: Extract<ToThread, { job: unknown }>): Promise<void> => {
  const controller = new AbortController();
  running.set(id, controller);
  clearTimeout(forgetting);
  if (name !== "capture") forgetMemory();
  meter.begin();
  const end = (message: FromThread): void => {
    send({ id, delay: meter.end() });
    send(message);
  };
  try {
    const job = await loadJob(name);
    // The pool pairs each job's name with its own input; the pairing is lost to the type checker at the message port.
    const run = job as (input: unknown, context: JobContext<JobProgress>) => Promise<unknown>;
    const context = { report: createReporter(id), settling: () => send({ id, settling: true }), signal: controller.signal };
    end({ id, result: await run(input, context) });
  } catch (error) {
    const failure = asFailure(error, `the ${name} job failed`);
    end({ id, failure: { type: failure.type, message: failure.message, cause: describeCause(failure.cause) } });
  } finally {
    running.delete(id);
    if (running.size === 0) forgetting = setTimeout(forgetMemory, idleMs).unref();
  }
};

port.on("message", (message: ToThread) => {
  if ("abort" in message) running.get(message.id)?.abort(new Error("the job was cancelled"));
  else void work(message);
});
