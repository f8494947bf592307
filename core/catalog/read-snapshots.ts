import { type SnapshotState, snapshotStates } from "../domain/snapshot.ts";
import { type Catalog, query } from "./catalog.ts";
import type { SnapshotRecord, StateRecord } from "./records.ts";

const select = `
  SELECT s.id AS snapshot, s.database, s.engine, s.policy, s.started_at AS "startedAt", s.captured_at AS "capturedAt", s.consistency,
    s.rows, s.bytes_read AS "bytesRead", s.bytes_new AS "bytesNew", s.bytes_stored AS "bytesStored",
    encode(s.manifest_hash, 'hex') AS "manifestHash", encode(s.ciphertext_root, 'hex') AS "ciphertextRoot",
    coalesce(l.held, false) AS held, s.removed_at AS "removedAt",
    ARRAY(SELECT state FROM dbgov.snapshot_state x WHERE x.snapshot_no = s.snapshot_no ORDER BY state) AS "stateNames",
    ARRAY(SELECT reached_at FROM dbgov.snapshot_state x WHERE x.snapshot_no = s.snapshot_no ORDER BY state) AS "stateTimes",
    ARRAY(SELECT evidence FROM dbgov.snapshot_state x WHERE x.snapshot_no = s.snapshot_no ORDER BY state) AS "stateEvidence"
  FROM dbgov.snapshot s LEFT JOIN dbgov.live_snapshot l USING (snapshot_no)`;

interface Row extends Omit<SnapshotRecord, "states"> {
  readonly stateNames: readonly SnapshotState[];
  readonly stateTimes: readonly Date[];
  readonly stateEvidence: readonly Record<string, unknown>[];
}

const recordOf = ({ stateNames, stateTimes, stateEvidence, ...facts }: Row): SnapshotRecord => ({
  ...facts,
  states: stateNames
    .map((state, i): StateRecord => ({ state, reachedAt: new Date(stateTimes[i]!).toISOString(), evidence: stateEvidence[i]! }))
    .sort((a, b) => snapshotStates.indexOf(a.state) - snapshotStates.indexOf(b.state)),
});

/** Also one that was removed. */
export const getSnapshot = async (catalog: Catalog, id: string): Promise<SnapshotRecord | undefined> => {
  const [row] = await query<Row>(catalog, `reading snapshot ${id}`, `${select} WHERE s.id = $1`, [id]);
  return row === undefined ? undefined : recordOf(row);
};

export interface SnapshotFilter {
  readonly database?: string | undefined;
  /** 1000 unless told. */
  readonly limit?: number | undefined;
  /** Only snapshots that live, unless told. */
  readonly removed?: boolean | undefined;
}

/** Newest first, by the time they show the database at. */
export const listSnapshots = async (catalog: Catalog, filter: SnapshotFilter = {}): Promise<SnapshotRecord[]> => {
  const rows = await query<Row>(
    catalog,
    "listing snapshots",
    `${select} WHERE ($1::text IS NULL OR s.database = $1) AND ($2 OR s.removed_at IS NULL) ORDER BY s.captured_at DESC, s.id DESC LIMIT $3`,
    [filter.database ?? null, filter.removed ?? false, filter.limit ?? 1_000],
  );
  return rows.map(recordOf);
};

/** The newest live snapshot of a database; with `state`, the newest that has reached it. */
export const latestSnapshot = async (catalog: Catalog, database: string, state?: SnapshotState): Promise<SnapshotRecord | undefined> => {
  const [row] = await query<Row>(
    catalog,
    `finding the latest snapshot of ${database}`,
    `${select}
     WHERE s.database = $1 AND s.removed_at IS NULL
       AND ($2::text IS NULL OR EXISTS (SELECT FROM dbgov.snapshot_state x WHERE x.snapshot_no = s.snapshot_no AND x.state = $2))
     ORDER BY s.captured_at DESC, s.id DESC LIMIT 1`,
    [database, state ?? null],
  );
  return row === undefined ? undefined : recordOf(row);
};
