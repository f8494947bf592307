import { Failure } from "../domain/failure.ts";
import { type LogSigner, signCheckpoint } from "./checkpoint.ts";
import { edgeNode, type LogState, loadState, readHead, readIfThere, verifiedEntries } from "./log-state.ts";
import {
  checkpointKey,
  completeRoot,
  encodeEntryBundle,
  encodeTile,
  hashesAtLevel,
  type headKey,
  partialsPrefix,
  type TileName,
  tileKey,
  tileWidth,
} from "./tiles.ts";
import { rangeRoot } from "./tree.ts";
import { equalBytes, type Hash, leafHash, utf8 } from "./verify/hash.ts";

/** Which object an append moves on: that of the published head, or of one that waits for its cosignatures. */
export type HeadKey = typeof checkpointKey | typeof headKey;

interface TileObject {
  readonly key: string;
  readonly bytes: Uint8Array;
}

/**
 * Writes entry bundles and tiles first and the checkpoint last, so that a kill anywhere leaves the log as it was before or as it is
 * after. What a killed append left behind is no part of the log and is replaced. Throws `LedgerConflict` when another writer's
 * checkpoint appeared meanwhile. Returns the new state.
 */
export const appendEntries = async (
  before: LogState,
  entries: readonly Uint8Array[],
  signer: LogSigner,
  target: HeadKey = checkpointKey,
): Promise<LogState> => {
  const { store, origin, signal } = before.place;
  if (store.capabilities.deletion === "impossible") {
    throw new Failure("ConfigurationInvalid", `log: store ${store.name} cannot replace objects, so it cannot hold the log ${origin}`);
  }
  const state = before.written ? before : await begin(before, signer, target);
  const { objects, edge, size } = await grow(state, entries);
  const root = await rangeRoot(edgeNode(edge), 0, size);
  const checkpoint = await signCheckpoint(origin, size, root, signer);
  for (const object of objects) await putTile(state, object);
  await refuseOtherWriter(state);
  await put(state, target, utf8(checkpoint.note));
  await removeReplacedPartials(state, size);
  signal.throwIfAborted();
  return loadState(state.place);
};

/** The objects that the longer log has and this one has not, bundles before tiles, and the new right edge. */
const grow = async (state: LogState, entries: readonly Uint8Array[]): Promise<{ objects: TileObject[]; edge: Hash[][]; size: number }> => {
  const before = state.checkpoint.size;
  const partial = before % tileWidth === 0 ? [] : await verifiedEntries(state, Math.floor(before / tileWidth));
  const bundles = intoTiles("entries", before, [...partial, ...entries]).map(({ name, items }) => ({
    key: tileKey(name),
    bytes: encodeEntryBundle(items),
  }));
  const tiles: TileObject[] = [];
  const edge: Hash[][] = [];
  let added: readonly Hash[] = entries.map(leafHash);
  for (let level = 0; added.length > 0 || level < state.edge.length; level++) {
    const known = hashesAtLevel(before, level);
    const pieces = intoTiles(level, known, [...(state.edge[level] ?? []), ...added]);
    const full = pieces.filter(({ name }) => name.width === tileWidth);
    if (added.length > 0) for (const { name, items } of pieces) tiles.push({ key: tileKey(name), bytes: encodeTile(items) });
    edge.push(pieces.find(({ name }) => name.width < tileWidth)?.items ?? []);
    added = full.map(({ items }) => completeRoot(items));
  }
  return { objects: [...bundles, ...tiles], edge, size: before + entries.length };
};

/** Cuts `items`, the first of which starts the tile that a level of `known` items is filling, into tiles. */
const intoTiles = <T>(level: TileName["level"], known: number, items: readonly T[]): { name: TileName; items: T[] }[] => {
  const first = Math.floor(known / tileWidth);
  return Array.from({ length: Math.ceil(items.length / tileWidth) }, (_, at) => {
    const piece = items.slice(at * tileWidth, (at + 1) * tileWidth);
    return { name: { level, index: first + at, width: piece.length }, items: piece };
  });
};

/** The first object of a log is a checkpoint of size 0: from then on a log without a checkpoint is a damaged one, never a new one. */
const begin = async (state: LogState, signer: LogSigner, target: HeadKey): Promise<LogState> => {
  const checkpoint = await signCheckpoint(state.place.origin, 0, state.checkpoint.root, signer);
  // Also where witnesses come first: an empty log needs none.
  for (const key of new Set<HeadKey>([checkpointKey, target])) await put(state, key, utf8(checkpoint.note));
  return { ...state, checkpoint, written: true };
};

const put = async ({ place }: LogState, key: string, bytes: Uint8Array): Promise<void> => {
  await place.store.put(key, bytes, place.signal);
};

/** A tile that is there with other bytes was left by an append that was killed before its checkpoint: nobody was told of it. */
const putTile = async (state: LogState, { key, bytes }: TileObject): Promise<void> => {
  const { store, signal } = state.place;
  const found = (await store.stat(key, signal)) === undefined ? undefined : await readIfThere(state.place, key);
  if (found !== undefined && equalBytes(found, bytes)) return;
  if (found !== undefined) {
    await refuseOtherWriter(state);
    await store.delete(key, signal);
  }
  await put(state, key, bytes);
};

const refuseOtherWriter = async (state: LogState): Promise<void> => {
  const { place, checkpoint } = state;
  const head = await readHead(place);
  // The same head may have gained cosignatures.
  if (head !== undefined && head.size === checkpoint.size && equalBytes(head.root, checkpoint.root)) return;
  throw new Failure("LedgerConflict", `the checkpoint of the log ${place.origin} in store ${place.store.name} changed during an append`);
};

/** Once a full tile is published its partial versions are of no use. Starts one tile earlier, for what a kill left. */
const removeReplacedPartials = async (state: LogState, size: number): Promise<void> => {
  const { store, signal } = state.place;
  for (const level of ["entries", 0, 1, 2, 3, 4] as const) {
    const ofLevel = level === "entries" ? 0 : level;
    const before = Math.floor(hashesAtLevel(state.checkpoint.size, ofLevel) / tileWidth);
    const after = Math.floor(hashesAtLevel(size, ofLevel) / tileWidth);
    for (let index = Math.max(0, before - 1); before < after && index < after; index++) {
      for await (const { key } of store.list(partialsPrefix(level, index), signal)) await store.delete(key, signal);
    }
  }
};
