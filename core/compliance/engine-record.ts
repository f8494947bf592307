import type { LifecycleRecord } from "../domain/lifecycle-rules.ts";
import type { EngineName, SnapshotState } from "../domain/snapshot.ts";

/**
 * What the engine itself knows, as plain data: filled from the catalog, the configuration and the orchestrator by
 * whoever runs a sweep. Times are ISO 8601. `null` always means "not known" or "there is none", as each field says;
 * what is not known becomes an inconclusive finding, never a pass.
 */
export interface EngineRecord {
  readonly databases: readonly DatabaseRecord[];
  /** null: the log or the catalog could not be read. */
  readonly log: LogRecord | null;
  readonly anchors: readonly AnchorRecord[];
  /** How long a log entry may wait for a finalized anchor before that is a finding, in milliseconds. */
  readonly anchorWithinMs: number;
  /** null: the recovery kit's folder could not be looked at. */
  readonly kit: KitRecord | null;
  /** Which secrets were compared with which, by their names in the configuration. null: they could not be read here. */
  readonly keySeparation: KeySeparationRecord | null;
  readonly recipients: readonly RecipientRecord[];
  readonly stores: readonly StoreRecord[];
}

export interface DatabaseRecord {
  readonly name: string;
  readonly engine: EngineName;
  readonly policy: PolicyRecord;
  /** null: the orchestrator could not be asked. */
  readonly schedule: ScheduleRecord | null;
  /** The live snapshots, in any order. */
  readonly snapshots: readonly SnapshotRecord[];
  /** Snapshots that retention has removed. */
  readonly removed: readonly RemovedSnapshotRecord[];
  /** What is wrong with the newest snapshots, so that retention lets none go. Absent: nothing. */
  readonly retentionAlarm?: string;
  /** null: never drilled. */
  readonly lastDrill: DrillRecord | null;
  /** The last ended backup run. null: none has ended. */
  readonly lastRun: RunRecord | null;
  /** How many backup runs have failed since the last one that succeeded (`done` or `degraded`). */
  readonly failuresSinceSuccess: number;
  /** null: no plan is declared for it. */
  readonly allowance: AllowanceRecord | null;
}

export interface AllowanceRecord {
  /** The plan, by its name in the table of allowances. */
  readonly service: string;
  /** null: the plan has none that is known. */
  readonly limitBytes: number | null;
  /** As the engine measures its size; null: it did not say. */
  readonly usedBytes: number | null;
  /** null: nothing was captured lately. */
  readonly growthPerDay: number | null;
}

export interface PolicyRecord {
  readonly name: string;
  readonly copies: number;
  readonly domains: number;
  readonly recoveryPointMs: number;
  readonly recoveryTimeMs: number;
  readonly drillEveryMs: number;
  /** A replica must have been read back within this time. */
  readonly proveEveryMs: number;
  readonly retention: {
    readonly last: number;
    readonly minimumAgeMs: number;
    /** How long a snapshot that the policy no longer keeps may stay before that is a finding: the retention interval and its grace. */
    readonly removeWithinMs: number;
  };
}

export interface ScheduleRecord {
  readonly exists: boolean;
  readonly paused: boolean;
  /** null: none is planned. */
  readonly nextRun: string | null;
}

export interface SnapshotRecord {
  readonly id: string;
  readonly capturedAt: string;
  /** When each state was reached. */
  readonly states: Readonly<Partial<Record<SnapshotState, string>>>;
  /** How many objects (packs, ranges, manifest) every full replica holds. */
  readonly objects: number;
  readonly replicas: readonly ReplicaRecord[];
  /** Index of the log entry of its sealing; null: not logged. */
  readonly logIndex: number | null;
  readonly held: boolean;
  /** When the retention policy stopped keeping it; null: it is still to be kept. */
  readonly expiredAt: string | null;
}

export interface ReplicaRecord {
  readonly store: string;
  readonly domain: string;
  /** How many of the snapshot's objects this store has receipts for, and can be read there. */
  readonly objects: number;
  /** Packs that lie in an archive tier beside these, where nothing can be read nor proven; and whether all of its packs do. Absent: none. */
  readonly archived?: number;
  readonly allArchived?: boolean;
  /** How many of these have been read back and found to be what they should. */
  readonly proven: number;
  /** The oldest of the proofs; null: nothing was ever read back. */
  readonly oldestProof: string | null;
}

export interface RemovedSnapshotRecord {
  readonly id: string;
  readonly capturedAt: string;
  readonly removedAt: string;
  /** It came between the runs of the schedule. */
  readonly extra?: true;
}

export interface DrillRecord {
  readonly at: string;
  readonly snapshot: string;
  readonly identical: boolean;
  readonly seconds: number;
}

export interface RunRecord {
  readonly at: string;
  readonly outcome: "done" | "degraded" | "failed";
  readonly failureType: string | null;
}

export interface LogRecord {
  /** Entries under the newest signed checkpoint. */
  readonly size: number;
  /** Entries that the catalog knows of. */
  readonly catalogEntries: number;
  /** Sequence numbers missing between the first and the last entry of a database. */
  readonly gaps: readonly { readonly database: string; readonly sequence: number }[];
  /** Hex; null: no checkpoint was signed yet. */
  readonly checkpointRoot: string | null;
}

export interface AnchorRecord {
  readonly name: string;
  /** Size of the largest checkpoint that is final there; null: none is. Entries with an index below it are covered. */
  readonly finalizedSize: number | null;
  /** When that checkpoint was submitted. */
  readonly at: string | null;
}

export interface KitRecord {
  readonly present: boolean;
  /** How many envelopes of live snapshots its keyring lacks. */
  readonly missingEnvelopes: number;
  readonly refreshedAt: string | null;
}

export interface KeySeparationRecord {
  readonly compared: readonly string[];
  /** Pairs of names whose secrets are the same. */
  readonly equal: readonly (readonly [string, string])[];
}

/** What repair passes know of one store that is configured, or that still has copies. */
export interface StoreRecord {
  readonly name: string;
  /** Between 0 and 1, by its answers. */
  readonly trust: number;
  readonly copies: number;
  /** Copies that were challenged, and right, within the period, and those that were neither challenged nor written within it. */
  readonly covered: number;
  readonly overdue: number;
  /** When the copy that was challenged longest ago was; null while one never was. */
  readonly oldest: string | null;
  /** Packs in an archive tier, which nobody can read: how many, how many of them were looked at within the period. Absent: none. */
  readonly archived?: { readonly packs: number; readonly present: number };
  /** What the owner of its account has ordered to be done with objects by age. Absent: its kind has no such rules. */
  readonly lifecycle?: LifecycleRecord;
  /** Copies that are bad and not replaced. */
  readonly lost: number;
  /** What stands, by kind: how often, and one of the messages. */
  readonly findings: readonly { readonly kind: string; readonly standing: number; readonly message: string }[];
  /** When its service was last asked what it ends by itself (null: never), and whether that is too long ago. null: it is not known to end anything. */
  readonly ends: { readonly askedAt: string | null; readonly overdue: boolean } | null;
}

export interface RecipientRecord {
  readonly name: string;
  /** Whether the configuration names its secret key, so that workers can open what was sealed to it. */
  readonly secretOnWorkers: boolean;
}
