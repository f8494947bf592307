/**
 * A place that keeps objects. Objects are immutable once written: a key names the same bytes for good, except where
 * `docs/format.md` says otherwise (`log/checkpoint`, `config`). Every method throws a `Failure` (`StoreUnreachable`, `StoreRejected`,
 * `StoreFull`, `ObjectMissing`, `ObjectCorrupt`), gives up when `signal` aborts, and has a time limit of its own, so that
 * a store that hangs is `StoreUnreachable`.
 */
export interface Store {
  readonly name: string;
  readonly kind: StoreKind;
  readonly capabilities: StoreCapabilities;

  /** Writes an object whole or not at all; the same key again with the same bytes is fine. Returns once the store calls it durable. */
  put(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<Receipt>;

  /** The object's bytes, or those of `range`. `ObjectMissing` when there is none. */
  get(key: string, signal: AbortSignal, range?: ByteRange): Promise<Uint8Array>;

  /** The object's size, or undefined when there is none. */
  stat(key: string, signal: AbortSignal): Promise<StoredObject | undefined>;

  /** All objects whose key starts with `prefix`, in no particular order. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<StoredObject>;

  /** Deletes, or unpins where the network cannot delete (see `capabilities.deletion`). Succeeds when there is none. */
  delete(key: string, signal: AbortSignal): Promise<void>;

  /** Proves that the store can be written, read and deleted from, with an object of its own. Throws what is wrong. */
  probe(signal: AbortSignal): Promise<void>;

  close(): Promise<void>;
}

export const storeKinds = ["directory", "azure-blob", "ipfs", "arweave"] as const;
export type StoreKind = (typeof storeKinds)[number];

export interface StoreCapabilities {
  readonly largestObject: number;
  readonly rangedReads: boolean;
  /** `real`: the bytes are gone. `unpin`: this operator no longer keeps them, others may. `impossible`: they stay for good. */
  readonly deletion: "real" | "unpin" | "impossible";
  /** Whether anybody can read what is written, knowing its address. */
  readonly public: boolean;
}

export interface Receipt {
  /** What the store calls the object: an etag, a CID, a transaction id. */
  readonly id: string;
  readonly bytes: number;
}

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  readonly receipt: string;
}

/** In bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}
