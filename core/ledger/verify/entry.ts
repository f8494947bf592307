import { canonicalJson } from "./canonical.ts";
import { hmacSha256 } from "./crypto.ts";
import { equalBytes, fromHex, sha256, toHex, utf8 } from "./hash.ts";
import {
  amount,
  type Check,
  chainHash,
  count,
  exactly,
  flag,
  hash,
  listOf,
  type Misfit,
  object,
  positive,
  text,
  time,
  word,
} from "./shape.ts";

/**
 * What an entry of the log says. Ciphertext hashes and salted commitments only: no plaintext hash, no name of a database or a person.
 * `docs/proof.md` explains each kind to auditors.
 */
export type EntryBody = { readonly time: string } & (
  | ({ readonly kind: "snapshot-sealed" } & OfDatabase & OfSnapshot & SealedDetail)
  | ({ readonly kind: "snapshot-replicated" } & OfDatabase & OfSnapshot & ReplicationDetail)
  | ({ readonly kind: "snapshot-failed"; readonly run: string; readonly failure: string } & OfDatabase)
  | ({ readonly kind: "snapshot-verified"; readonly packs: number; readonly bytes?: number; readonly store?: string } & OfDatabase &
      OfSnapshot)
  | ({ readonly kind: "drilled" } & OfDatabase & OfSnapshot & DrillDetail)
  | ({ readonly kind: "deleted"; readonly reason: "retention" | "erasure" | "request" } & OfDatabase & OfSnapshot & DeletionDetail)
  | ({ readonly kind: "erased"; readonly request: string; readonly snapshots: number } & MaybeOfDatabase)
  | ({ readonly kind: "deletion-scheduled"; readonly due: string; readonly reason: "retention" | "request" } & OfDatabase & OfSnapshot)
  | ({ readonly kind: "deletion-undone" } & OfDatabase & OfSnapshot)
  | ({ readonly kind: "retention-halted"; readonly alarm: "flood" | "shrunk" } & OfDatabase)
  | ({ readonly kind: "approval" } & ApprovalDetail & MaybeOfDatabase)
  | ({ readonly kind: "hold-placed"; readonly hold: string; readonly snapshot?: string; readonly until?: string } & MaybeOfDatabase)
  | ({ readonly kind: "hold-lifted"; readonly hold: string; readonly snapshot?: string } & MaybeOfDatabase)
  | ({ readonly kind: "sweep-finished"; readonly reportHash: string } & SweepDetail)
  | ({ readonly kind: "retention-executed"; readonly removed: number; readonly kept: number; readonly packs?: number } & MaybeOfDatabase)
  | ({ readonly kind: "objects-deleted"; readonly objects: number; readonly packs: number; readonly keysHash: string } & CopiesDeleted)
  | ({ readonly kind: "configuration-changed" } & ConfigurationDetail)
  | ({ readonly kind: "challenged" } & OfDatabase & OfSnapshot & ChallengeDetail)
  | ({ readonly kind: "copies-repaired" } & RepairDetail)
  | { readonly kind: "access-summarized"; readonly day: string; readonly counts: readonly AccessCount[] }
  | {
      readonly kind: "keys-rotated";
      readonly purpose: "log" | "signing" | "recipient" | "index";
      readonly before: string;
      readonly after: string;
      /** What the one before signs alone counts until then. */
      readonly until?: string;
    }
);

interface OfDatabase {
  /** `commit(name, salt)`. */
  readonly database: string;
}
interface MaybeOfDatabase {
  readonly database?: string;
}
interface OfSnapshot {
  readonly snapshot: string;
  /** SHA-256 of the manifest object, which is ciphertext and a signature. */
  readonly manifestHash: string;
}
interface SealedDetail {
  /** Merkle root over the packs and ranges, as `docs/format.md` defines it. */
  readonly ciphertextRoot: string;
  readonly engine: string;
  readonly consistency: "transactional" | "per-collection" | "fuzzy";
  readonly capturedAt: string;
  readonly rows: number;
  readonly bytes: number;
  /** The public key that signed the manifest, as hex. */
  readonly signer?: string;
  readonly startedAt?: string;
  /** Of `bytes`, those that were not stored before, and what they took there. */
  readonly bytesNew?: number;
  readonly bytesStored?: number;
}
interface ReplicationDetail {
  /** Stores that hold every object, in how many failure domains, and how many of the policy's stores failed. */
  readonly copies: number;
  readonly domains: number;
  readonly failed: number;
}
interface ConfigurationDetail {
  /** A commitment to the canonical JSON of the configuration, which holds no secrets. */
  readonly configuration: string;
  /** The public key that signs manifests from now on, as hex. */
  readonly signer: string;
  /** Ids of the public keys that snapshots are sealed to from now on. */
  readonly recipients: readonly string[];
}
interface ChallengeDetail {
  readonly store: string;
  /** How many blocks were chosen, and how many of them proven to be what the log commits to. */
  readonly blocks: number;
  readonly proven: number;
  /** What chose them: a checkpoint of the log, and the block of a chain that anchored it. */
  readonly size: number;
  readonly chainId: number;
  readonly blockHash: string;
}
interface RepairDetail {
  readonly store: string;
  /** Copies that the store was challenged for in one pass, how many of them were bad, and how many bad ones it got replaced, also of passes before. */
  readonly asked: number;
  readonly found: number;
  readonly repaired: number;
}
interface AccessCount {
  /** Id of an auditor's token. */
  readonly token: string;
  /** SHA-256 of the route, as `GET /v1/entries/:index`. */
  readonly route: string;
  readonly requests: number;
}
interface DrillDetail {
  readonly identical: boolean;
  readonly seconds: number;
  readonly rows: number;
  readonly bytes?: number;
  readonly differences?: number;
}
interface DeletionDetail {
  /** How many envelopes were destroyed. */
  readonly envelopes: number;
  readonly packs?: number;
  /**
   * What the deletion rests on. `bytes`: every copy lies where deletion is real. `envelopes`: copies stay, or may, which nothing opens any
   * more. `unpinning`: envelopes, too, lay where only this operator lets go of them.
   */
  readonly means?: "bytes" | "envelopes" | "unpinning";
}
/** Copies by what becomes of them: gone for real, no longer kept by this operator, kept by the network for good. */
interface CopiesDeleted {
  readonly gone?: number;
  readonly unpinned?: number;
  readonly kept?: number;
}
interface ApprovalDetail {
  readonly act: ApprovedAct;
  readonly outcome: "granted" | "expired";
  /** SHA-256 of the request that both have signed. */
  readonly request: string;
  /** Commitments to the ids of the two persons' keys. */
  readonly requestedBy: string;
  readonly approvedBy?: string;
}
interface SweepDetail {
  readonly pass: number;
  readonly fail: number;
  readonly notApplicable: number;
  readonly inconclusive: number;
}

/** Acts that need two persons. */
const approvedActs = ["lift-hold", "shorten-retention", "delete-database", "change-approvers"] as const;
type ApprovedAct = (typeof approvedActs)[number];

export type EntryKind = EntryBody["kind"];

/** An entry as it is in the log. */
export type LogEntry = EntryBody & {
  readonly version: 1;
  /** 32 random bytes: without them nobody can test a guess of the entry against a leaf hash. */
  readonly salt: string;
  /** A hash of the writer's name of the event: the same event is never logged twice. */
  readonly identity: string;
  /** Counts up from 1 without gaps, for each database by itself, and for the entries without a database. */
  readonly sequence: number;
};

const date = text(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, "a date as 2026-11-24");
const snapshotName = text(/^\d{8}T\d{6}Z-[0-9a-f]{12}$/, "a snapshot id");
const ofSnapshot = { database: hash, snapshot: snapshotName, manifestHash: hash };
const maybeOfDatabase = { database: hash };

/** What an entry of a kind has. `version` counts up when a reader of the old one could misread the new one. */
interface EntrySchema {
  readonly version: number;
  readonly required: Readonly<Record<string, Check>>;
  readonly optional?: Readonly<Record<string, Check>>;
}

/** So many fit into an entry. */
export const mostAccessCounts = 400;

const schemas: Readonly<Record<EntryKind, EntrySchema>> = {
  "snapshot-sealed": {
    version: 1,
    required: {
      ...ofSnapshot,
      ciphertextRoot: hash,
      engine: word,
      consistency: exactly("transactional", "per-collection", "fuzzy"),
      capturedAt: time,
      rows: count,
      bytes: count,
    },
    optional: { signer: hash, startedAt: time, bytesNew: count, bytesStored: count },
  },
  "snapshot-replicated": { version: 1, required: { ...ofSnapshot, copies: count, domains: count, failed: count } },
  "snapshot-failed": { version: 1, required: { database: hash, run: word, failure: word } },
  "snapshot-verified": { version: 1, required: { ...ofSnapshot, packs: count }, optional: { bytes: count, store: word } },
  drilled: {
    version: 1,
    required: { ...ofSnapshot, identical: flag, seconds: amount, rows: count },
    optional: { bytes: count, differences: count },
  },
  deleted: {
    version: 1,
    required: { ...ofSnapshot, reason: exactly("retention", "erasure", "request"), envelopes: count },
    optional: { packs: count, means: exactly("bytes", "envelopes", "unpinning") },
  },
  "deletion-scheduled": { version: 1, required: { ...ofSnapshot, due: time, reason: exactly("retention", "request") } },
  "deletion-undone": { version: 1, required: ofSnapshot },
  "retention-halted": { version: 1, required: { database: hash, alarm: exactly("flood", "shrunk") } },
  approval: {
    version: 1,
    required: { act: exactly(...approvedActs), outcome: exactly("granted", "expired"), request: hash, requestedBy: hash },
    optional: { ...maybeOfDatabase, approvedBy: hash },
  },
  erased: { version: 1, required: { request: hash, snapshots: count }, optional: maybeOfDatabase },
  "hold-placed": { version: 1, required: { hold: hash }, optional: { ...maybeOfDatabase, snapshot: snapshotName, until: time } },
  "hold-lifted": { version: 1, required: { hold: hash }, optional: { ...maybeOfDatabase, snapshot: snapshotName } },
  "sweep-finished": { version: 1, required: { reportHash: hash, pass: count, fail: count, notApplicable: count, inconclusive: count } },
  "retention-executed": { version: 1, required: { removed: count, kept: count }, optional: { ...maybeOfDatabase, packs: count } },
  "objects-deleted": {
    version: 1,
    required: { objects: positive, packs: count, keysHash: hash },
    optional: { gone: count, unpinned: count, kept: count },
  },
  "configuration-changed": { version: 1, required: { configuration: hash, signer: hash, recipients: listOf(word, 256) } },
  challenged: {
    version: 1,
    required: { ...ofSnapshot, store: word, blocks: positive, proven: count, size: positive, chainId: positive, blockHash: chainHash },
  },
  "copies-repaired": { version: 1, required: { store: word, asked: count, found: count, repaired: count } },
  "access-summarized": {
    version: 1,
    required: { day: date, counts: listOf(object({ token: word, route: hash, requests: positive }), mostAccessCounts) },
  },
  "keys-rotated": {
    version: 1,
    required: { purpose: exactly("log", "signing", "recipient", "index"), before: word, after: word },
    optional: { until: time },
  },
};

export const entryKinds = Object.keys(schemas) as EntryKind[];

/** The version that entries of this kind have. */
export const entryVersion = (kind: EntryKind): 1 => schemas[kind].version as 1;

/** Entry bundles hold the length in two bytes. */
export const largestEntry = 65_535;

/** Where and why `value` is not an entry; undefined when it is one. */
export const checkEntry: Check = (value, part) => {
  const kind = typeof value === "object" && value !== null ? (value as { kind?: unknown }).kind : undefined;
  const known = typeof kind === "string" && Object.hasOwn(schemas, kind) ? schemas[kind as EntryKind] : undefined;
  if (known === undefined) return { part, reason: "must be an object whose `kind` is a known one" };
  const common = { version: exactly(known.version), kind: exactly(kind as string), salt: hash, identity: hash, sequence: positive, time };
  return object({ ...common, ...known.required }, known.optional)(value, part);
};

/** The bytes that the log holds, and that its leaf hash covers. */
export const entryBytes = (entry: LogEntry): Uint8Array => utf8(canonicalJson(entry));

/** The entry that `bytes` are, or why they are none. Bytes that are not canonical are refused: two readings of one leaf must not exist. */
export const parseEntry = (bytes: Uint8Array): LogEntry | Misfit => {
  const misfit = (reason: string): Misfit => ({ part: "entry", reason });
  if (bytes.length > largestEntry) return misfit(`must be at most ${largestEntry} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return misfit("is not JSON in UTF-8");
  }
  const wrong = checkEntry(value, "entry");
  if (wrong !== undefined) return wrong;
  return equalBytes(entryBytes(value as LogEntry), bytes) ? (value as LogEntry) : misfit("is not canonical JSON");
};

/**
 * What an entry says instead of a name: HMAC-SHA-256 with the salt (64 hex digits, 32 bytes) as the key. A database has one salt
 * for good, known to the operator only: entries of one database can be told to belong together, and the name cannot be guessed
 * before the salt is disclosed in a proof bundle.
 */
export const commit = (name: string, salt: string): string => toHex(hmacSha256(fromHex(salt), utf8(name)));

/** What an entry says instead of the writer's own name of the event. The same for the same event, so that a second one is found. */
export const entryIdentity = (identity: string): string => toHex(sha256(utf8(`dbgov event\n${identity}`)));
