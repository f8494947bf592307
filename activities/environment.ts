import { activityInfo, heartbeat } from "@temporalio/activity";
import type { Site } from "../core/site/site.ts";
import type { JobName, JobProgress, Jobs } from "../core/snapshot/jobs.ts";
import type { ThreadPool } from "../core/snapshot/thread-pool.ts";
import { keepAlive, type Stall } from "./keep-alive.ts";

/** What every activity works with. */
export interface ActivityEnvironment {
  /** The configuration as the file has it now: a change is in force with the next activity. */
  site(): Promise<Site>;
  readonly threads: ThreadPool;
}

/** Runs a job in a thread, its progress told by heartbeats. What `onCheckpoint` makes of a checkpoint is for the next attempt. */
export const runJob = async <N extends JobName>(
  threads: ThreadPool,
  job: N,
  input: Jobs[N]["input"],
  stall: Stall,
  onCheckpoint: (checkpoint: unknown) => Promise<unknown> = async () => undefined,
): Promise<Jobs[N]["result"]> =>
  await keepAlive(stall, async (report, signal) => {
    // What earlier attempts kept stays said, should this one end before it has kept anything.
    let kept: unknown = (activityInfo().heartbeatDetails as { kept?: unknown } | undefined)?.kept;
    report({ kept });
    let saving: Promise<void> = Promise.resolve();
    const save = async (checkpoint: unknown, progress: object): Promise<void> => {
      kept = await onCheckpoint(checkpoint);
      report({ ...progress, kept });
      heartbeat({ ...progress, kept });
    };
    const onProgress = ({ checkpoint, ...progress }: JobProgress): void => {
      report({ ...progress, kept });
      // A checkpoint that could not be kept only costs a retry's time; the job goes on.
      if (checkpoint !== undefined) saving = saving.then(() => save(checkpoint, progress)).catch(() => {});
    };
    const result = await threads.run(job, input, { signal, onProgress });
    await saving;
    return result;
  });
