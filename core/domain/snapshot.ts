/** The words of a snapshot. Pure data: these types cross Temporal, the catalog and the CLI as JSON. */

export const engineNames = ["postgres", "mongodb", "cosmos", "redis"] as const;
export type EngineName = (typeof engineNames)[number];

/** In order. Each is reached by evidence of its own, never assumed from the one before. */
export const snapshotStates = ["captured", "sealed", "replicated", "logged", "anchored", "verified", "drilled"] as const;
export type SnapshotState = (typeof snapshotStates)[number];

/** What consistency a capture really got, as tested, not as promised by the server. */
export type Consistency = "transactional" | "per-collection" | "fuzzy";

/**
 * How rows are told apart in a stream's bytes. `lines`: each row ends in "\n". `stamped`: so does each row, and what stands in it behind
 * its first tab is not compared, since only the server sets it (the time of a last write). `bson`: each row starts with its int32
 * length. `opaque`: no rows.
 */
export type Framing = "lines" | "stamped" | "bson" | "opaque";

/** `definition` streams are small and describe the database (schema script, indexes, sequences); `rows` streams hold its data. */
export type StreamKind = "definition" | "rows";

/**
 * What rows a stream holds, regardless of their order: their count, and the sum (mod 2^64, 16 lowercase hex digits)
 * of a keyed hash of each row's bytes. Sums of parts add up to the sum of the stream. For comparing a restored copy,
 * not against forgery: that is what the sealed chunks are for.
 */
export interface RowDigest {
  readonly rows: number;
  readonly sum: string;
  readonly bytes: number;
}

/** The streams' states that lie in the contiguous beginning of `snapshotStates`, so that `drilled` alone never hides a missing `replicated`. */
export const furthestState = (reached: ReadonlySet<SnapshotState>): SnapshotState | undefined => {
  let furthest: SnapshotState | undefined;
  for (const state of snapshotStates) {
    if (!reached.has(state)) break;
    furthest = state;
  }
  return furthest;
};

/** `20261124T021500Z-5f3a9c01d2e4`: sorts by time, and tells nothing of the database. */
export const snapshotId = (startedAt: Date, random: string): string =>
  `${snapshotTime(startedAt)}-${random.replaceAll("-", "").slice(0, 12)}`;

/** How an id begins: ids of snapshots started before `instant` sort before this. */
export const snapshotTime = (instant: Date): string => `${instant.toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;

export const isSnapshotId = (text: string): boolean => /^\d{8}T\d{6}Z-[0-9a-f]{12}$/.test(text);
