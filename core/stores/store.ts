/**
 * A place that keeps objects. Objects are immutable once written: a key names the same bytes for good, except where
 * `docs/format.md` says otherwise (`log/checkpoint`, `config`). Every method throws a `Failure` (`StoreUnreachable`, `StoreRejected`,
 * `StoreFull`, `StoreRetained`, `ObjectMissing`, `ObjectCorrupt`; `UsageInvalid` for a key that no store could hold), gives up when `signal`
 * aborts (then it throws the signal's reason), and has a time limit of its own, so that a store that hangs is
 * `StoreUnreachable`. `docs/stores.md` says what each store promises.
 */
export interface Store {
  readonly name: string;
  readonly kind: StoreKind;
  readonly capabilities: StoreCapabilities;

  /** Writes an object whole or not at all; the same key again with the same bytes is fine. Returns once the store calls it durable. */
  put(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<Receipt>;

  /** The object's bytes, or those of `range`. `ObjectMissing` when there is none, `ObjectCorrupt` when it ends before the range does. */
  get(key: string, signal: AbortSignal, range?: ByteRange): Promise<Uint8Array>;

  /** The object as far as it is completely stored (on IPFS: on every peer), or undefined. A put that finds its object here need not send it again. */
  stat(key: string, signal: AbortSignal): Promise<StoredObject | undefined>;

  /** All objects whose key starts with `prefix`, in no particular order. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<StoredObject>;

  /** Deletes, or unpins where the network cannot delete (see `capabilities.deletion`). Succeeds when there is none. `StoreRetained` where the store refuses for now. */
  delete(key: string, signal: AbortSignal): Promise<void>;

  /** Proves that the store can be written, read and deleted from, with an object of its own (on Arweave, where that costs: that it would take one). Throws what is wrong. */
  probe(signal: AbortSignal): Promise<void>;

  /**
   * Whether what `put` acknowledged is durable on the network by now: an upload queue drained, copies proven, a block mined.
   * Absent where the acknowledgment of `put` means that already.
   */
  settled?(key: string, signal: AbortSignal): Promise<boolean>;

  /** Makes the object immutable until `until` at least. Never shortens: an earlier date than the object has changes nothing. */
  protect?(key: string, until: Date, signal: AbortSignal): Promise<void>;

  /** Sets or lifts the store's own legal hold on the object: while it stands, nothing deletes the object, whatever its date. */
  legalHold?(key: string, held: boolean, signal: AbortSignal): Promise<void>;

  /**
   * Moves the object to a cheaper tier. In `cool` and `cold` it can still be read at once, though at a price; in `archive` it cannot be read at
   * all (`get` throws `ObjectArchived`) until `rehydrate` has brought it back. What is archived is not moved to another tier by this.
   */
  tier?(key: string, tier: StoreTier, signal: AbortSignal): Promise<void>;

  /** Has an archived object brought back, which takes hours. Asked again, says how far it is; `high` makes one that is coming `standard` faster. */
  rehydrate?(key: string, priority: RehydratePriority, signal: AbortSignal): Promise<"online" | "coming">;

  /** What the store's service ends by itself, unless it is renewed. */
  renewals?(signal: AbortSignal): Promise<Renewal[]>;

  /** Extends what ends within the margin. Returns what it did. */
  renew?(signal: AbortSignal, margin: { readonly days: number }): Promise<Renewal[]>;

  /** What whoever relies on this store should know and its capabilities cannot say: sentences about how the service is set up. May write and delete an object of its own. */
  notices?(signal: AbortSignal): Promise<readonly string[]>;

  /** What the service itself says is in use. */
  usage?(signal: AbortSignal): Promise<{ readonly bytes: number; readonly objects?: number }>;

  close(): Promise<void>;
}

export type StoreTier = "cool" | "cold" | "archive";
export type RehydratePriority = "standard" | "high";

export const storeKinds = ["directory", "azure-blob", "s3", "storj", "sia", "ipfs", "filecoin", "arweave"] as const;
export type StoreKind = (typeof storeKinds)[number];

export interface StoreCapabilities {
  readonly largestObject: number;
  readonly rangedReads: boolean;
  /** `real`: the bytes are gone. `unpin`: this operator no longer keeps them, others may. `impossible`: they stay for good. */
  readonly deletion: "real" | "unpin" | "impossible";
  /** Whether anybody can read what is written, knowing its address. */
  readonly public: boolean;
  /** The order in which `list` brings keys. Nothing may rely on more than this. */
  readonly listing: "lexicographic" | "unordered";
  /** Whether the service refuses a write, if asked to, where the object exists already. dbgov needs that nowhere: one writer, names that are hashes. */
  readonly conditionalWrites: boolean;
  /** What `protect` makes immutable: nothing, an object, one version of it; `everything`: the network never forgets. */
  readonly immutability: "none" | "object" | "version" | "everything";
  /** Days for which an object is billed, or kept, at least; 0 for none. */
  readonly minimumDays: number;
  readonly expires: "never" | "unless-renewed";
  /** The tier that a policy's `tiers.archive` uses, in which nothing can be read: how long it takes to come back, and what is billed at least. Absent: there is none. */
  readonly offlineTier?: string;
  /** How it is proven that the store still has an object: a short phrase for the table. */
  readonly presence: string;
  /** When an acknowledged write is durable: a short phrase for the table. */
  readonly durableWhen: string;
}

/** Something that a store's service ends by itself: a contract, a payment, an expiry date. */
export interface Renewal {
  readonly what: string;
  /** ISO 8601; null when it never ends. */
  readonly until: string | null;
  /** How far the money that is there now reaches, ISO 8601; null when that is unknown or no question. */
  readonly fundedUntil: string | null;
  readonly renewable: boolean;
  /** One sentence, where somebody must act. */
  readonly problem?: string;
}

export interface Receipt {
  /** What the store calls the object: an etag, a CID, a transaction id. */
  readonly id: string;
  readonly bytes: number;
  /** What the put cost, where a store charges for each: `12345 winston`. */
  readonly cost?: string;
}

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  readonly receipt: string;
  /** The network has taken the object, but no block holds it yet (Arweave). */
  readonly pending?: true;
  /** It is there and cannot be read: it lies in an archive tier, or is on its way back from one. */
  readonly offline?: "archived" | "coming";
  /** As hex, where the service keeps one beside an object that is offline: all that is left to compare. */
  readonly md5?: string;
}

/** In bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** What a caller can set beside the configuration; the defaults suit production. */
export interface StoreOptions {
  /**
   * How long a store may stay silent before it counts as unreachable, in milliseconds. Calls that carry an object's bytes
   * without reporting progress get the time of a 64 KiB/s line on top.
   * @default 30000
   */
  readonly silenceMs?: number;
  /**
   * Whether the folder or container may be created. Without it, a place that does not exist is an error and not an empty store:
   * who recovers from a mistyped address must hear of it.
   * @default true
   */
  readonly create?: boolean;
  /**
   * How many objects to ask for in one page of a listing.
   * @default the most that the service gives
   */
  readonly pageSize?: number;
}
