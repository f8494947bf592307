import type { FailureType } from "./failure.ts";
import type { Consistency, EngineName, SnapshotState } from "./snapshot.ts";

/**
 * What workflows pass to activities and get back: small references, never data, never a secret. All of it ends up in
 * Temporal's history, where operators read it.
 */

export const taskQueues = {
  /** Workflows. Holds no secrets. */
  orchestrate: "orchestrate",
  /** Database credentials, dedup secret, signing key, recipients' public keys. Cannot open a snapshot. */
  capture: "capture",
  /** Store credentials. Sees ciphertext only. */
  replicate: "replicate",
  /** Log key and submitter key. */
  chain: "chain",
  /** A recipient's secret key: drills and verifications. */
  restore: "restore",
} as const;
export type TaskQueue = keyof typeof taskQueues;

/** The part of a policy that a backup run follows. It is written into the schedule by `dbgov apply`. */
export interface RunPolicy {
  readonly name: string;
  readonly landing: string;
  readonly stores: readonly string[];
  readonly archive: readonly string[];
  readonly envelopes: readonly string[];
  readonly copies: number;
  readonly domains: number;
  /** Stores among these whose copies count for none of them, as what is old is archived there. Absent: none. */
  readonly extra?: readonly string[];
  /** Of the stores named above the planner chooses as many as are promised, for each database. Absent: each gets a copy. */
  readonly placement?: "planned";
  /** The stores named above with their failure domains. */
  readonly storeDomains: readonly { readonly name: string; readonly domain: string }[];
  /** After so many snapshots one reads everything again. */
  readonly fullReadEvery: number;
  /** Milliseconds. */
  readonly patience: number;
}

export interface BackupInput {
  readonly database: string;
  readonly engine: EngineName;
  readonly policy: RunPolicy;
  /** Read everything, whatever could be taken over from the last snapshot. */
  readonly full?: boolean;
}

/** `bytes.read` left the database, `new` of them were not in the repository yet, `stored` is what these took there. */
export interface ByteCounts {
  readonly read: number;
  readonly new: number;
  readonly stored: number;
}

export interface StoreReplica {
  readonly store: string;
  readonly packs: number;
  /** Packs whose bytes were read back from the store, or whose receipt was checked there, and found right. */
  readonly verified: number;
}

export interface BackupResult {
  readonly snapshot: string;
  readonly database: string;
  readonly state: SnapshotState;
  readonly degraded: boolean;
  readonly rows: number;
  readonly bytes: ByteCounts;
  readonly seconds: number;
  readonly replicas: readonly StoreReplica[];
  readonly logIndex: number;
}

/** Progress of a running backup, as its query answers and the Temporal UI shows it. */
export interface BackupProgress {
  readonly snapshot: string;
  readonly step: "inspecting" | "holding" | "planning" | "capturing" | "sealing" | "replicating" | "logging" | "done";
  readonly batchesDone: number;
  readonly batches: number;
  readonly estimatedBytes: number;
  readonly storesDone: readonly string[];
  /** The event of the workflow's history to reset to, should the run fail: what was done before this step is kept. */
  readonly resumeAt: number;
}

export interface HeldSnapshot {
  readonly token: string;
  readonly consistency: Consistency;
  /** When it was opened, ISO: the moment that the snapshot shows. */
  readonly heldAt: string;
}

export interface DrillInput {
  readonly database: string;
  readonly engine: EngineName;
  /** The newest sealed snapshot when it is not given. */
  readonly snapshot?: string;
}

export interface DrillResult {
  readonly snapshot: string;
  readonly database: string;
  readonly identical: boolean;
  readonly rows: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly differences: readonly string[];
}

/** Of what a run is, for whoever looks for it in the Temporal UI. */
export interface RunAbout {
  readonly database?: string | undefined;
  readonly engine?: string | undefined;
  readonly policy?: string | undefined;
}

export interface VerifyInput {
  readonly snapshot: string;
  /** `sample`: every object is there, some are read. `full`: every byte in every store is read and every chunk opened. */
  readonly depth: "sample" | "full";
  readonly store?: string;
  /** Runs from before this was told carry their outcome only. */
  readonly about?: RunAbout;
}

export interface ObjectProblem {
  readonly store: string;
  readonly object: string;
  readonly type: string;
  readonly message: string;
}

/** A bad copy that was replaced by a good one from another store. */
export interface ObjectRepair {
  readonly store: string;
  readonly object: string;
  readonly from: string;
}

export interface VerifyFindings {
  readonly problems: readonly ObjectProblem[];
  readonly repairs: readonly ObjectRepair[];
}

export interface VerifyResult {
  readonly snapshot: string;
  readonly verified: boolean;
  readonly objects: number;
  readonly bytes: number;
  readonly problems: readonly ObjectProblem[];
}

/** A legal hold to be placed, or lifted by its id. */
export interface HoldChange {
  readonly id: string;
  readonly lifted: boolean;
  readonly database: string | null;
  readonly snapshot: string | null;
  readonly reason: string;
  readonly by: string;
  /** ISO 8601: it ends by itself then. Without it, it stands until somebody lifts it. */
  readonly until?: string | null;
}

/** What a repair pass asks of one store. */
export interface RepairShare {
  readonly store: string;
  readonly copies: number;
  /** Of each pack. */
  readonly blocks: number;
}

export interface RepairTotals {
  /** Copies that were replaced, by store. */
  readonly repaired: Readonly<Record<string, number>>;
  /** Copies that are bad still. */
  readonly left: number;
  /** Some of the objects that no store has a good copy of. */
  readonly lost: readonly string[];
  /** Stores that do not take their copies now. */
  readonly unable: readonly { readonly store: string; readonly type: FailureType; readonly message: string }[];
}

export interface ParityTotals {
  /** Groups of packs that got parity, and groups that were dissolved. */
  readonly made: number;
  readonly dissolved: number;
}

export interface RepairInput {
  /** All of this store is challenged. Without it, of each store the share whose turn it is. */
  readonly store?: string;
}

/** What a pass did with one store. */
export interface StoreRepair {
  readonly store: string;
  /** Copies that were challenged, and those that were right. */
  readonly asked: number;
  readonly proven: number;
  readonly blocks: number;
  readonly found: number;
  readonly repaired: number;
  /** Tiles of its copy of the log that were read, and those among them that were put right. Absent where it has none. */
  readonly log?: { readonly asked: number; readonly found: number };
  /** Why the store was asked no further. */
  readonly stopped?: { readonly kind: string; readonly type: FailureType; readonly message: string };
}

export interface RepairResult {
  readonly stores: readonly StoreRepair[];
  /** Copies that are bad still. */
  readonly left: number;
  readonly lost: readonly string[];
}

/** What came of renewing what one store's service ends by itself. */
export interface RenewalOutcome {
  readonly store: string;
  /** What was extended. */
  readonly renewed: readonly string[];
  /** What somebody must act on. */
  readonly problems: readonly { readonly kind: "ending" | "unfunded"; readonly message: string }[];
}

/** What a schedule starts: a workflow under its plain id, so that one by hand and one by schedule never run side by side. */
export interface ScheduledRun {
  readonly type: string;
  readonly id: string;
  readonly args: readonly unknown[];
  /** Schedules that were applied before this was told carry nothing. */
  readonly about?: RunAbout;
}
