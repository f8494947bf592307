import type { FailureType } from "../domain/failure.ts";
import type { Consistency, EngineName, SnapshotState } from "../domain/snapshot.ts";

/** What the catalog's functions take and give. Ids and hashes are lowercase hex; instants come out as ISO strings. */

/** A time to write down; both forms mean the same. */
export type Instant = Date | string;

export interface PackRegistration {
  readonly id: string;
  readonly bytes: number;
  readonly root: string;
  /** The landing store that the pack is about to be put into. */
  readonly store: string;
  readonly chunks: readonly {
    readonly id: Uint8Array;
    readonly offset: number;
    readonly storedBytes: number;
    readonly plainBytes: number;
  }[];
}

export interface PackInfo {
  readonly id: string;
  readonly bytes: number;
  readonly root: string;
}

/** The numbers and names of a snapshot. */
export interface SnapshotFacts {
  readonly snapshot: string;
  readonly database: string;
  readonly engine: EngineName;
  readonly policy: string;
  readonly startedAt: string;
  readonly capturedAt: string;
  readonly consistency: Consistency;
  readonly rows: number;
  readonly bytesRead: number;
  readonly bytesNew: number;
  readonly bytesStored: number;
  readonly manifestHash: string;
  readonly ciphertextRoot: string;
}

export interface StateRecord {
  readonly state: SnapshotState;
  readonly reachedAt: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

export interface SnapshotRecord extends SnapshotFacts {
  /** In the order of `snapshotStates`. */
  readonly states: readonly StateRecord[];
  readonly held: boolean;
  /** Null while it lives; a removed snapshot keeps its row. */
  readonly removedAt: string | null;
}

export interface ReplicaSummary {
  readonly store: string;
  /** Objects of the snapshot that the store has, of `objectsOfAll`: packs, ranges and the manifest. */
  readonly objects: number;
  readonly objectsOfAll: number;
  readonly packs: number;
  /** Packs that were proven to be there, intact, at least once. */
  readonly verified: number;
  /** Packs that lie where nothing can be read. They are not among the `verified`, nor is their proof the oldest. */
  readonly archived: number;
  /** Of the packs, the one whose proof is oldest; null when a pack was never proven. */
  readonly oldestProof: string | null;
}

export interface RunRecord {
  readonly workflowId: string;
  readonly runId: string;
  readonly database: string | null;
  readonly kind: RunKind;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly outcome: RunOutcome | null;
  readonly failureType: FailureType | null;
  readonly message: string | null;
}
export type RunKind = "backup" | "drill" | "verify" | "retention" | "sweep" | "anchor";
export type RunOutcome = "done" | "degraded" | "failed";

export interface LogEntryRecord {
  readonly identity: string;
  readonly index: number;
  readonly kind: string;
  readonly database: string | null;
  readonly sequence: number | null;
  readonly entryHash: string;
  readonly at: string;
}

export interface CheckpointRecord {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly note: string;
  readonly at: string;
}

export interface AnchorRecord {
  readonly anchor: string;
  readonly size: number;
  readonly root: string;
  readonly chainId: number;
  readonly contract: string;
  readonly transaction: string;
  readonly block: number | null;
  readonly blockHash: string | null;
  readonly status: "submitted" | "mined" | "finalized";
  readonly at: string;
}

export interface DrillRecord {
  readonly snapshot: string;
  readonly database: string;
  readonly identical: boolean;
  readonly seconds: number;
  readonly rows: number;
  readonly bytes: number;
  readonly at: string;
  readonly differences: readonly unknown[];
}

export interface HoldRecord {
  readonly id: string;
  /** Both `database` and `snapshot` null: everything is held. */
  readonly database: string | null;
  readonly snapshot: string | null;
  readonly reason: string;
  readonly by: string;
  readonly at: string;
  /** It ends by itself then; null: it stands until somebody lifts it. */
  readonly until: string | null;
}

/** A snapshot that lives, and goes once it is due. */
export interface PendingDeletion {
  readonly snapshot: string;
  readonly database: string;
  readonly markedAt: string;
  readonly dueAt: string;
  /** `request`: two persons asked for all of its database to go. */
  readonly reason: "retention" | "request";
}

export interface SweepRecord {
  readonly id: string;
  readonly at: string;
  readonly pass: number;
  readonly fail: number;
  readonly notApplicable: number;
  readonly inconclusive: number;
  readonly reportHash: string;
  readonly findings: readonly unknown[];
}

export interface LiveSnapshot {
  readonly snapshot: string;
  readonly capturedAt: string;
  readonly states: readonly SnapshotState[];
  readonly held: boolean;
}

/** What a removal or a condemnation did; goes into the log entry. */
export interface Reclaimed {
  readonly snapshots: readonly string[];
  /** Objects (range ids, snapshot ids) whose envelopes were destroyed: from here on nobody can open them. */
  readonly envelopes: readonly string[];
  readonly ranges: readonly string[];
  readonly packs: readonly string[];
}

export interface DeletableObject {
  readonly key: string;
  readonly kind: "pack" | "range" | "manifest" | "envelopes";
  /** What `beginDelete` takes: the pack's or range's id, or the snapshot's. */
  readonly id: string;
  readonly stores: readonly string[];
}
