import { setTimeout as delay } from "node:timers/promises";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import type { SnapshotRecord } from "../../core/catalog/records.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { SnapshotState } from "../../core/domain/snapshot.ts";
import type { Site } from "../../core/site/site.ts";

/** Waits until a snapshot has reached every one of the states; what is missing after `withinMs` is said. */
export const awaitStates = async (
  site: Site,
  snapshot: string,
  states: readonly SnapshotState[],
  withinMs: number,
  onLook: (record: SnapshotRecord) => void,
): Promise<SnapshotRecord> => {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const record = await getSnapshot(await site.catalog(), snapshot);
    if (record === undefined) throw new Failure("SnapshotUnknown", `snapshot ${snapshot} is not in the catalog`);
    onLook(record);
    const missing = states.filter((state) => !record.states.some((reached) => reached.state === state));
    if (missing.length === 0) return record;
    if (Date.now() > deadline)
      throw new Failure("VerificationFailed", `snapshot ${snapshot} did not become ${missing.join(" and ")} in time; see the Temporal UI`);
    await delay(250);
  }
};
