import { Failure } from "../domain/failure.ts";
import type { Store } from "../stores/store.ts";
import { appendEntries } from "./append.ts";
import { keysOf, type LogSigner, signCheckpoint } from "./checkpoint.ts";
import type { EntryDraft } from "./entries.ts";
import { type LogState, loadState, readHead, verifiedEntries, verifiedNode, verifiedTile } from "./log-state.ts";
import { type AppendedEntry, type KnownEntries, nothingKnown, planAppend } from "./plan-append.ts";
import { type IndexedEntry, readEntries, readEntry } from "./read-entries.ts";
import { checkpointKey, hashesAtLevel, headKey, tileWidth } from "./tiles.ts";
import { consistencyPath, inclusionPath, rangeRoot } from "./tree.ts";
import type { Checkpoint } from "./verify/checkpoint.ts";
import { equalBytes, type Hash, toHex } from "./verify/hash.ts";

export type { AppendedEntry, KnownEntries } from "./plan-append.ts";
export type { IndexedEntry } from "./read-entries.ts";

/**
 * The organization's append-only log: RFC 6962 hashing, C2SP tiles and checkpoints, in a store. Every method throws `LedgerCorrupt`,
 * naming the object, when the store's copy does not agree with its signed checkpoint, and passes on the store's own failures.
 */
export interface Log {
  readonly origin: string;
  readonly size: number;
  /** The signed head. Its `note` is empty while nothing was ever appended. */
  checkpoint(): Checkpoint;
  /**
   * Logs each event exactly once: an event whose identity the log holds already gets that entry's place. The caller makes sure that
   * there is one writer at a time; when there was another one after all, `LedgerConflict`.
   */
  append(drafts: readonly EntryDraft[], known?: KnownEntries): Promise<Appended>;
  entry(index: number): Promise<IndexedEntry>;
  /** In order, `from` to before `to` (default: all). */
  entries(from?: number, to?: number): AsyncIterable<IndexedEntry>;
  /** A freshly signed checkpoint of an earlier (or the current) size; the same note as the one signed then. */
  checkpointAt(size: number): Promise<Checkpoint>;
  /** The root of an earlier (or the current) size, as hex. Nothing is signed. */
  rootAt(size: number): Promise<string>;
  inclusionProof(index: number, size: number): Promise<Hash[]>;
  consistencyProof(from: number, to: number): Promise<Hash[]>;
  /** Looks whether the log has grown in its store, for who reads it for long. What was seen before must be its beginning. */
  refresh(): Promise<void>;
  /** Reads every tile and entry and checks it. */
  verifyAll(): Promise<void>;
}

export interface Appended {
  /** In the order of the drafts. */
  readonly entries: readonly AppendedEntry[];
  readonly checkpoint: Checkpoint;
}

/** Up to this size opening checks every hash tile; beyond, the right edge, and each other tile when it is read. */
const wholeCheckUpTo = 65_536;

export interface LogOptions {
  readonly store: Store;
  readonly origin: string;
  readonly signer: LogSigner;
  readonly signal?: AbortSignal;
  /** Whether entries are seen that no published checkpoint covers yet: for who appends, and for who judges the whole. @default false */
  readonly unpublished?: boolean;
  /** Whether what is appended is published at once. Otherwise `publish` does it, once witnesses have cosigned. @default true */
  readonly publishAtOnce?: boolean;
}

export const openLog = async (options: LogOptions): Promise<Log> => {
  const { store, origin, signer, signal = new AbortController().signal, unpublished = false, publishAtOnce = true } = options;
  let state = await loadState({ store, origin, keys: keysOf(signer), signal, unpublished });
  if (state.checkpoint.size <= wholeCheckUpTo) await checkTiles(state);

  const append = async (drafts: readonly EntryDraft[], known: KnownEntries = nothingKnown): Promise<Appended> => {
    state = await advance(state);
    const { planned, bytes } = await planAppend(state, drafts, known);
    if (bytes.length > 0) state = await appendEntries(state, bytes, signer, publishAtOnce ? checkpointKey : headKey);
    return { entries: planned, checkpoint: state.checkpoint };
  };
  const checkpointAt = async (size: number): Promise<Checkpoint> => {
    refuseBeyond(state, size);
    if (size === state.checkpoint.size && state.written) return state.checkpoint;
    return await signCheckpoint(origin, size, await rangeRoot(verifiedNode(state), 0, size), signer);
  };
  const rootAt = async (size: number): Promise<string> => {
    refuseBeyond(state, size);
    return toHex(await rangeRoot(verifiedNode(state), 0, size));
  };
  return {
    origin,
    get size() {
      return state.checkpoint.size;
    },
    checkpoint: () => state.checkpoint,
    append,
    checkpointAt,
    rootAt,
    entry: (index) => readEntry(state, index),
    entries: (from = 0, to = state.checkpoint.size) => readEntries(state, from, to),
    inclusionProof: async (index, size) => {
      refuseBeyond(state, size);
      if (index >= size) throw new Failure("NameUnknown", `the log ${origin} has no entry ${index} at size ${size}`);
      return inclusionPath(verifiedNode(state), index, size);
    },
    consistencyProof: async (from, to) => {
      refuseBeyond(state, to);
      if (from > to) throw new Failure("UsageInvalid", `no consistency proof leads from size ${from} back to ${to}`);
      return consistencyPath(verifiedNode(state), from, to);
    },
    refresh: async () => {
      const head = await readHead(state.place);
      const { size, root } = state.checkpoint;
      // The same head may have gained cosignatures.
      if (head !== undefined && head.size === size && equalBytes(head.root, root)) state = { ...state, checkpoint: head };
      else state = await advance(state);
    },
    verifyAll: async () => {
      await checkTiles(state);
      for (let bundle = 0; bundle * tileWidth < state.checkpoint.size; bundle++) await verifiedEntries(state, bundle);
    },
  };
};

const refuseBeyond = ({ checkpoint, place }: LogState, size: number): void => {
  if (size <= checkpoint.size) return;
  throw new Failure("NameUnknown", `the log ${place.origin} has ${checkpoint.size} entries, not ${size}`);
};

/** The state at the store's present checkpoint. What was seen before must be the beginning of it. */
const advance = async (state: LogState): Promise<LogState> => {
  const next = await loadState(state.place);
  const { size, root } = state.checkpoint;
  const extended = next.checkpoint.size >= size && equalBytes(await rangeRoot(verifiedNode(next), 0, size), root);
  // Full tiles never change, so what was verified of the beginning stays so.
  if (extended) return { ...next, cache: state.cache };
  throw new Failure(
    "LedgerCorrupt",
    `log/checkpoint in store ${state.place.store.name} no longer extends the log ${state.place.origin} as it was seen`,
  );
};

const checkTiles = async (state: LogState): Promise<void> => {
  for (let level = 0; hashesAtLevel(state.checkpoint.size, level) > 0; level++) {
    const tiles = Math.floor(hashesAtLevel(state.checkpoint.size, level) / tileWidth);
    const atOnce = 16;
    for (let first = 0; first < tiles; first += atOnce) {
      const indexes = Array.from({ length: Math.min(atOnce, tiles - first) }, (_, at) => first + at);
      await Promise.all(indexes.map((index) => verifiedTile(state, level, index)));
    }
  }
};
