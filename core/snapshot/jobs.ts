import type { CaptureJob, CaptureJobResult } from "./capture-batch.ts";
import type { DiffJob, DiffJobResult } from "./diff-snapshot.ts";
import type { ExportJob, ExportJobResult } from "./export-snapshot.ts";
import type { RestorePlan } from "./plan-restore.ts";
import type { RestoreJob, RestoreJobResult } from "./restore-snapshot.ts";
import type { VerifyJob, VerifyJobResult } from "./verify-snapshot.ts";

/**
 * The work that is too heavy for an event loop that must send heartbeats: each runs in a thread of its own
 * (`thread-pool.ts`). Inputs and results cross by structured clone within the process; secrets in them stay in memory.
 */
export interface Jobs {
  readonly capture: { input: CaptureJob; progress: JobProgress; result: CaptureJobResult };
  readonly restore: { input: RestoreJob; progress: JobProgress; result: RestoreJobResult };
  readonly preview: { input: RestoreJob; progress: JobProgress; result: RestorePlan };
  readonly export: { input: ExportJob; progress: JobProgress; result: ExportJobResult };
  readonly diff: { input: DiffJob; progress: JobProgress; result: DiffJobResult };
  readonly verify: { input: VerifyJob; progress: JobProgress; result: VerifyJobResult };
}
export type JobName = keyof Jobs;

export interface JobProgress {
  readonly bytes: number;
  readonly rows: number;
  /** How many bytes there are in this step, where that is known. */
  readonly total?: number;
  /** What is being worked on, for eyes. */
  readonly current: string;
  /** Set when work was made durable that a later attempt need not do again. */
  readonly checkpoint?: unknown;
}

export interface JobContext<P> {
  readonly report: (progress: P) => void;
  /** To be called once nothing is left but waiting for writes: the thread may begin its next job meanwhile. */
  readonly settling: () => void;
  readonly signal: AbortSignal;
}

export type Job<N extends JobName> = (input: Jobs[N]["input"], context: JobContext<Jobs[N]["progress"]>) => Promise<Jobs[N]["result"]>;

/** Loaded when first asked for, so that a thread that only captures never loads what only restores need. */
export const loadJob = async <N extends JobName>(name: N): Promise<Job<N>> => {
  const loaders: { [K in JobName]: () => Promise<Job<K>> } = {
    capture: async () => (await import("./capture-batch.ts")).captureBatch,
    restore: async () => (await import("./restore-snapshot.ts")).restoreSnapshot,
    preview: async () => (await import("./plan-restore.ts")).planRestore,
    export: async () => (await import("./export-snapshot.ts")).exportSnapshot,
    diff: async () => (await import("./diff-snapshot.ts")).diffSnapshot,
    verify: async () => (await import("./verify-snapshot.ts")).verifySnapshot,
  };
  return await loaders[name]();
};
