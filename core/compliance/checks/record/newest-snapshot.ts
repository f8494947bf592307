import type { SnapshotState } from "../../../domain/snapshot.ts";
import type { SnapshotRecord } from "../../engine-record.ts";

export const ageMs = (at: string, now: Date): number => Math.max(0, now.getTime() - Date.parse(at));

/** The newest snapshot that has reached `state`. */
export const newestWith = (snapshots: readonly SnapshotRecord[], state: SnapshotState): SnapshotRecord | undefined =>
  snapshots
    .filter(({ states }) => states[state] !== undefined)
    .reduce<SnapshotRecord | undefined>(
      (newest, next) => (newest === undefined || Date.parse(next.capturedAt) > Date.parse(newest.capturedAt) ? next : newest),
      undefined,
    );
