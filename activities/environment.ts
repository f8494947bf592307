import { heartbeat } from "@temporalio/activity";
import type { Site } from "../core/site/site.ts";
import type { JobName, JobProgress, Jobs } from "../core/snapshot/jobs.ts";
import type { ThreadPool } from "../core/snapshot/thread-pool.ts";

/** What every activity works with. */
export interface ActivityEnvironment {
  /** The configuration as the file has it now: a change is in force with the next activity. */
  site(): Promise<Site>;
  readonly threads: ThreadPool;
}

/** Heartbeats are sent at most this often; the SDK throttles them further. */
const heartbeatEveryMs = 500;

/** Runs a job in a thread, and passes its progress on as heartbeats: no progress, no heartbeat. */
export const runJob = async <N extends JobName>(
  threads: ThreadPool,
  job: N,
  input: Jobs[N]["input"],
  signal: AbortSignal,
  onCheckpoint: (checkpoint: unknown) => Promise<unknown> = async () => undefined,
): Promise<Jobs[N]["result"]> => {
  let last = 0;
  let kept: unknown;
  let saving: Promise<void> = Promise.resolve();
  const onProgress = ({ checkpoint, ...progress }: JobProgress): void => {
    if (checkpoint !== undefined) {
      saving = saving.then(async () => {
        kept = await onCheckpoint(checkpoint);
        heartbeat({ ...progress, kept });
      });
      // A checkpoint that could not be kept only costs a retry's time; the job goes on.
      saving = saving.catch(() => {});
      return;
    }
    const now = performance.now();
    if (now - last < heartbeatEveryMs) return;
    last = now;
    heartbeat({ ...progress, kept });
  };
  const result = await threads.run(job, input, { signal, onProgress });
  await saving;
  return result;
};
