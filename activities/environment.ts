import { Context } from "@temporalio/activity";
import type { Site } from "../core/site/site.ts";
import type { JobName, JobProgress, Jobs } from "../core/snapshot/jobs.ts";
import type { ThreadPool } from "../core/snapshot/thread-pool.ts";
import { keepAlive, type Stall } from "./keep-alive.ts";

/** What every activity works with. */
export interface ActivityEnvironment {
  /** The configuration as the file has it now: a change is in force with the next activity. */
  site(): Promise<Site>;
  readonly threads: ThreadPool;
  /** As `CaptureJob` has it. Fewer cost packs that are not full. */
  readonly checkpointBytes?: number;
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
    const activity = Context.current();
    // What earlier attempts kept stays said, should this one end before it has kept anything.
    let kept: unknown = (activity.info.heartbeatDetails as { kept?: unknown } | undefined)?.kept;
    report({ kept });
    let saving: Promise<void> = Promise.resolve();
    const save = async (checkpoint: unknown, progress: object): Promise<void> => {
      kept = await onCheckpoint(checkpoint);
      report({ ...progress, kept });
      // A thread's messages arrive outside of any activity's context, so this one's is kept at hand.
      activity.heartbeat({ ...progress, kept });
    };
    const onLost = (error: unknown): void => activity.log.warn("a checkpoint could not be kept", { error });
    const onProgress = ({ checkpoint, ...progress }: JobProgress): void => {
      report({ ...progress, kept });
      // A checkpoint that could not be kept only costs a retry's time; the job goes on.
      if (checkpoint !== undefined) saving = saving.then(() => save(checkpoint, progress)).catch(onLost);
    };
    const result = await threads.run(job, input, { signal, onProgress });
    await saving;
    return result;
  });
