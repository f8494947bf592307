import { Failure, isFailure } from "../domain/failure.ts";
import type { Store } from "../stores/store.ts";
import { type LogKey, readCheckpoint } from "./checkpoint.ts";
import {
  checkpointKey,
  completeRoot,
  decodeEntryBundle,
  decodeTile,
  encodeTile,
  hashesAtLevel,
  headKey,
  type TileName,
  tileKey,
  tilePrefix,
  tileWidth,
  widthOf,
} from "./tiles.ts";
import { type ReadNode, rangeRoot } from "./tree.ts";
import type { Checkpoint } from "./verify/checkpoint.ts";
import { emptyRoot, equalBytes, type Hash, leafHash } from "./verify/hash.ts";

/** Where the log is. */
export interface LogPlace {
  readonly store: Store;
  readonly origin: string;
  /** Whose signature its heads must carry: one of these. */
  readonly keys: readonly LogKey[];
  readonly signal: AbortSignal;
  /** Whether the log is seen as far as it was appended to, and not only as far as it is published. */
  readonly unpublished?: boolean;
}

/** The log at one checkpoint. All that is read below it is checked against its root before it is used. */
export interface LogState {
  readonly place: LogPlace;
  readonly checkpoint: Checkpoint;
  /** Whether the store holds the checkpoint; a log that was never appended to has none. */
  readonly written: boolean;
  /** The partial tiles of each level: together they make up the root. */
  readonly edge: readonly (readonly Hash[])[];
  /** Full tiles that were verified, as they are stored: 256 hashes each as an object of its own would take four times as much. */
  readonly cache: Map<string, Uint8Array>;
}

const mostCached = 1024;

/** Reads the checkpoint and the right edge, and checks them against each other. Throws `LedgerCorrupt` naming the object that is wrong. */
export const loadState = async (place: LogPlace): Promise<LogState> => {
  const { store, origin, signal } = place;
  const checkpoint = await readHead(place);
  if (checkpoint === undefined) {
    for await (const { key } of store.list(tilePrefix, signal)) {
      throw new Failure("LedgerCorrupt", `${checkpointKey} of the log ${origin} is missing in store ${store.name}, though ${key} is there`);
    }
    return { place, checkpoint: { origin, size: 0, root: emptyRoot(), note: "" }, written: false, edge: [], cache: new Map() };
  }
  const edge: (readonly Hash[])[] = [];
  for (let level = 0; hashesAtLevel(checkpoint.size, level) > 0; level++) {
    const hashes = hashesAtLevel(checkpoint.size, level);
    const width = hashes % tileWidth;
    edge.push(width === 0 ? [] : await readTile(place, { level, index: Math.floor(hashes / tileWidth), width }));
  }
  const state = { place, checkpoint, written: true, edge, cache: new Map() };
  const root = await rangeRoot(edgeNode(edge), 0, checkpoint.size);
  if (!equalBytes(root, checkpoint.root)) throw await nameCorruptTile(state);
  return state;
};

/** The log's head as the store has it: the larger of what is published and, where the place says so, what is not yet. */
export const readHead = async (place: LogPlace): Promise<Checkpoint | undefined> => {
  const { store, origin, keys } = place;
  const heads: Checkpoint[] = [];
  for (const key of place.unpublished === true ? [checkpointKey, headKey] : [checkpointKey]) {
    const note = await readIfThere(place, key);
    if (note !== undefined) heads.push(readCheckpoint(note, origin, keys, `${key} in store ${store.name}`));
  }
  return heads.reduce<Checkpoint | undefined>((most, head) => (most === undefined || head.size > most.size ? head : most), undefined);
};

/** The hashes of a tile, after checking them against their parent tile, and so on up to the root. */
export const verifiedTile = async (state: LogState, level: number, index: number): Promise<readonly Hash[]> => {
  const width = widthOf(state.checkpoint.size, level, index);
  if (width < tileWidth) return state.edge[level] ?? [];
  const key = tileKey({ level, index, width });
  const cached = state.cache.get(key);
  if (cached !== undefined) return decodeTile(cached, tileWidth)!;
  const hashes = await readTile(state.place, { level, index, width });
  const parent = await verifiedTile(state, level + 1, Math.floor(index / tileWidth));
  const expected = parent[index % tileWidth];
  if (expected === undefined || !equalBytes(completeRoot(hashes), expected)) throw corrupt(state.place, key);
  // The oldest goes first.
  if (state.cache.size >= mostCached) for (const oldest of state.cache.keys()) if (state.cache.delete(oldest)) break;
  state.cache.set(key, encodeTile(hashes));
  return hashes;
};

/** Reads nodes of the tree through verified tiles. */
export const verifiedNode =
  (state: LogState): ReadNode =>
  async (level, index) => {
    const within = 2 ** (level % 8);
    const tileLevel = Math.floor(level / 8);
    const first = index * within;
    const hashes = await verifiedTile(state, tileLevel, Math.floor(first / tileWidth));
    return completeRoot(hashes.slice(first % tileWidth, (first % tileWidth) + within));
  };

/** The entries of bundle `index`, after checking them against the leaf hashes. */
export const verifiedEntries = async (state: LogState, index: number): Promise<readonly Uint8Array[]> => {
  const width = widthOf(state.checkpoint.size, 0, index);
  const key = tileKey({ level: "entries", index, width });
  const leaves = await verifiedTile(state, 0, index);
  const entries = await readEntryBundle(state.place, { level: "entries", index, width });
  const right = entries.every((entry, at) => equalBytes(leafHash(entry), leaves[at]!));
  if (!right) throw corrupt(state.place, key);
  return entries;
};

/** Reads the nodes that the root consists of: they lie in the partial tiles of the right edge alone. */
export const edgeNode =
  (edge: LogState["edge"]): ReadNode =>
  (level, index) => {
    const within = 2 ** (level % 8);
    const first = (index * within) % tileWidth;
    return Promise.resolve(completeRoot((edge[Math.floor(level / 8)] ?? []).slice(first, first + within)));
  };

/** The lowest partial tile that disagrees with what lies under it is the one that was altered. */
const nameCorruptTile = async (state: LogState): Promise<Failure> => {
  const { place, checkpoint, edge } = state;
  for (const [level, hashes] of edge.entries()) {
    const index = Math.floor(hashesAtLevel(checkpoint.size, level) / tileWidth);
    const key = tileKey({ level, index, width: hashes.length });
    for (const [at, hash] of hashes.entries()) {
      const below = level === 0 ? await leafBelow(state, index, at) : await tileBelow(state, level, index * tileWidth + at);
      if (!equalBytes(below, hash)) return corrupt(place, key);
    }
  }
  return corrupt(place, `${tilePrefix} as a whole`);
};

const leafBelow = async ({ place, checkpoint }: LogState, index: number, at: number): Promise<Hash> => {
  const entries = await readEntryBundle(place, { level: "entries", index, width: widthOf(checkpoint.size, 0, index) });
  return leafHash(entries[at]!);
};

const tileBelow = async ({ place }: LogState, level: number, index: number): Promise<Hash> =>
  completeRoot(await readTile(place, { level: level - 1, index, width: tileWidth }));

const corrupt = (place: LogPlace, key: string): Failure =>
  new Failure("LedgerCorrupt", `${key} of the log ${place.origin} in store ${place.store.name} does not hash to the signed checkpoint`);

const readTile = async (place: LogPlace, name: TileName): Promise<Hash[]> => {
  const bytes = await readObject(place, name);
  const hashes = decodeTile(bytes, name.width) ?? decodeTile(bytes, tileWidth)?.slice(0, name.width);
  if (hashes === undefined) throw malformed(place, name, bytes, `${name.width} hashes`);
  return hashes;
};

const readEntryBundle = async (place: LogPlace, name: TileName): Promise<Uint8Array[]> => {
  const bytes = await readObject(place, name);
  const entries = decodeEntryBundle(bytes, name.width) ?? decodeEntryBundle(bytes, tileWidth)?.slice(0, name.width);
  if (entries === undefined) throw malformed(place, name, bytes, `${name.width} entries`);
  return entries;
};

const malformed = ({ origin, store }: LogPlace, name: TileName, bytes: Uint8Array, wanted: string): Failure =>
  new Failure(
    "LedgerCorrupt",
    `${tileKey(name)} of the log ${origin} in store ${store.name} has ${bytes.length} bytes, which are not ${wanted}`,
  );

/** A partial tile may have been replaced by the full one since the checkpoint was read. */
const readObject = async (place: LogPlace, name: TileName): Promise<Uint8Array> => {
  const bytes = (await readIfThere(place, tileKey(name))) ?? (await readIfThere(place, tileKey({ ...name, width: tileWidth })));
  if (bytes !== undefined) return bytes;
  throw new Failure("LedgerCorrupt", `${tileKey(name)} of the log ${place.origin} is missing in store ${place.store.name}`);
};

/** The object's bytes, or undefined when the store has none. */
export const readIfThere = async ({ store, signal }: LogPlace, key: string): Promise<Uint8Array | undefined> => {
  try {
    return await store.get(key, signal);
  } catch (error) {
    if (isFailure(error, "ObjectMissing")) return undefined;
    throw error;
  }
};
