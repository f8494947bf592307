import { Failure } from "../domain/failure.ts";
import type { SnapshotState } from "../domain/snapshot.ts";
import { type Catalog, type Queryable, run, transaction } from "./catalog.ts";
import type { Instant } from "./records.ts";

/** Writes down that a snapshot reached a state, by what evidence. The first time stays. `SnapshotUnknown` when it was never committed. */
export const reachState = async (
  catalog: Catalog,
  snapshot: string,
  state: SnapshotState,
  evidence: Readonly<Record<string, unknown>>,
  at: Instant,
): Promise<void> =>
  await transaction(catalog, `recording that ${snapshot} is ${state}`, async (db) => {
    const [row] = await run<{ snapshot_no: number }>(db, "SELECT snapshot_no FROM dbgov.snapshot WHERE id = $1", [snapshot]);
    if (row === undefined) throw new Failure("SnapshotUnknown", `snapshot ${snapshot} is not in the catalog`);
    await insertState(db, row.snapshot_no, state, evidence, at);
  });

export const insertState = (
  db: Queryable,
  snapshotNumber: number,
  state: SnapshotState,
  evidence: Readonly<Record<string, unknown>>,
  at: Instant,
): Promise<unknown> =>
  run(db, "INSERT INTO dbgov.snapshot_state (snapshot_no, state, reached_at, evidence) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", [
    snapshotNumber,
    state,
    at,
    JSON.stringify(evidence),
  ]);
