import type { ReplicaSummary, SnapshotRecord } from "../../core/catalog/records.ts";
import { formatDuration } from "../../core/domain/duration.ts";
import { snapshotStates } from "../../core/domain/snapshot.ts";
import { dim, good } from "../cli/terminal.ts";

/** `captured → sealed → … → (drilled)`: in parentheses what is not reached yet, since a color alone is not seen everywhere. */
export const statesLine = (record: SnapshotRecord): string => {
  const reached = new Set(record.states.map(({ state }) => state));
  return snapshotStates.map((state) => (reached.has(state) ? good(state) : dim(`(${state})`))).join(dim(" → "));
};

export const timesLine = (record: SnapshotRecord): string =>
  dim(
    record.states
      .map(({ state, reachedAt }) => `${state} +${formatDuration(Math.max(0, Date.parse(reachedAt) - Date.parse(record.startedAt)))}`)
      .join(", "),
  );

export const replicaRow = ({ store, objects, objectsOfAll, packs, verified }: ReplicaSummary): string[] => [
  store,
  `${packs}`,
  `${verified}`,
  objects >= objectsOfAll ? good(`all ${objectsOfAll} objects`) : dim(`${objects} of ${objectsOfAll} objects (the small permanent ones)`),
];
