import type { SnapshotState } from "../domain/snapshot.ts";
import { type Catalog, query } from "./catalog.ts";

/** New evidence speaks against a state that was reached: it no longer counts, until it is reached again. Idempotent. */
export const withdrawState = async (catalog: Catalog, snapshot: string, state: SnapshotState): Promise<void> => {
  await query(
    catalog,
    `withdrawing that ${snapshot} is ${state}`,
    "DELETE FROM dbgov.snapshot_state x USING dbgov.snapshot s WHERE s.id = $1 AND x.snapshot_no = s.snapshot_no AND x.state = $2",
    [snapshot, state],
  );
};
