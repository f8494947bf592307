import type { RestorePreview } from "../databases/engine.ts";
import { type FailureType, isFailure } from "../domain/failure.ts";
import type { JobContext, JobProgress } from "./jobs.ts";
import { openTarget, type RestoreJob } from "./restore-snapshot.ts";
import { withSnapshot } from "./snapshot-reader.ts";

/** What a restore would do. */
export interface RestorePlan {
  readonly snapshot: string;
  readonly database: string;
  /** ISO 8601, UTC. */
  readonly capturedAt: string;
  /** Rows streams that would be read, in the snapshot's order. Where records are chosen, how many of them match is known only once they are read. */
  readonly streams: readonly { readonly name: string; readonly rows: number; readonly bytes: number }[];
  readonly rows: number;
  readonly bytes: number;
  readonly creates: RestorePreview["creates"];
  /** What of the target would be dropped, by name. */
  readonly drops: readonly string[];
  readonly notes: readonly string[];
  /** Copies that would be passed over. */
  readonly damaged: readonly string[];
  /** What would keep the restore from being done: content that cannot be read, a target that refuses. Null when nothing would. */
  readonly problem: { readonly type: FailureType; readonly message: string } | null;
}

/** Opens every range and reads the last byte of every pack that the restore would need, looks at the target, and writes nothing. */
export const planRestore = async (input: RestoreJob, { report, signal }: JobContext<JobProgress>): Promise<RestorePlan> =>
  await withSnapshot(input, signal, async (reader) => {
    const { snapshot, database, capturedAt, streams: all } = reader.manifest;
    report({ bytes: 0, rows: 0, current: "looking at snapshot and target" });
    let read = all.filter(({ kind }) => kind === "rows");
    let preview: RestorePreview = { creates: [], drops: [], notes: [] };
    let problem: RestorePlan["problem"] = null;
    try {
      const { restoration, chosen } = await openTarget(input, reader, signal);
      read = [...chosen.streams];
      try {
        preview = await restoration.preview();
      } finally {
        await restoration.close();
      }
    } catch (error) {
      if (!isFailure(error) || error.type === "NameUnknown" || error.type === "Unexpected") throw error;
      problem = { type: error.type, message: error.message };
    }
    const total = (pick: (stream: { rows: number; bytes: number }) => number): number =>
      read.reduce((sum, stream) => sum + pick(stream), 0);
    return {
      ...{ snapshot, database, capturedAt },
      streams: read.map(({ name, rows, bytes }) => ({ name, rows, bytes })),
      rows: total(({ rows }) => rows),
      bytes: total(({ bytes }) => bytes),
      ...preview,
      damaged: [...reader.damaged],
      problem,
    };
  });
