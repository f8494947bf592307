/** What is measured, in words that all files of the bench share. */

/** What was done to the source before a backup, in this order; each on top of the one before. */
export const states = {
  full: "full",
  unchanged: "unchanged",
  updated: "1 % updated",
  inserted: "5 % inserted",
  column: "a column added",
} as const;
export type State = keyof typeof states;

export const arms = {
  floor: "dump to nowhere",
  pipe: "dump | zstd -3 -T2 | age",
  pipeOneThread: "dump | zstd -3 | age",
  kopia: "dump | kopia 0.23.1",
  restic: "dump | restic 0.19.1",
  machinery: "ours, machinery alone",
  ours: "ours, whole backup",
  pgRestore: "pg_restore -j 2",
} as const;
export type ArmName = keyof typeof arms;

/** What one run of one arm took. */
export interface Measured {
  /** Wall time. */
  readonly seconds: number;
  /** User and system time of the arm's own processes. */
  readonly processorSeconds: number;
  /** The same of the database server meanwhile. */
  readonly serverSeconds: number;
  /** Bytes of resident memory at its highest, of all processes that the arm had at one time. */
  readonly peakMemory: number;
  /** Bytes of content that the arm had the database send. */
  readonly bytesLeft?: number;
  /** Seconds that ours kept an event loop waiting while it captured, 99th percentile. */
  readonly loopDelay?: number;
  /** Bytes of all that the arm has stored by now. */
  readonly repository?: number;
}

export interface Sample extends Measured {
  readonly dataSet: string;
  readonly round: number;
  readonly work: State | "restore";
  readonly arm: ArmName;
}
