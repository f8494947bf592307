import { Failure } from "../domain/failure.ts";
import type { Store } from "../stores/store.ts";
import { evidencePrefix } from "./evidence-keys.ts";
import {
  type LogPlace,
  type LogState,
  loadState,
  readHead,
  readIfThere,
  verifiedEntries,
  verifiedNode,
  verifiedTile,
} from "./log-state.ts";
import {
  checkpointKey,
  encodeEntryBundle,
  encodeTile,
  hashesAtLevel,
  headKey,
  partialsPrefix,
  type TileName,
  tileKey,
  tileWidth,
  widthOf,
} from "./tiles.ts";
import { rangeRoot } from "./tree.ts";
import { equalBytes, utf8 } from "./verify/hash.ts";

/**
 * Brings another store's copy of the log up to the published checkpoint, tiles before checkpoint, so that a kill anywhere leaves the copy
 * valid. What is copied is checked against the signed root on the way. Throws `LedgerCorrupt` when the copy is of another log, or is ahead.
 * Returns the copy's size and how many objects were written.
 */
export const copyLog = async (
  from: LogPlace,
  to: Store,
  report: (key: string) => void = () => {},
): Promise<{ size: number; objects: number }> => {
  const state = await loadState(from);
  const target: LogPlace = { ...from, store: to };
  if (!state.written) return { size: 0, objects: 0 };
  const size = state.checkpoint.size;
  const had = await sizeOfCopy(state, target);
  let objects = 0;
  const put = async (key: string, bytes: Uint8Array): Promise<void> => {
    if (await replaceIfOther(target, key, bytes)) objects += 1;
    report(key);
  };
  for (const name of tilesSince(had, size)) await put(tileKey(name), await contentOf(state, name));
  await put(checkpointKey, utf8(state.checkpoint.note));
  for (const name of tilesSince(had, size)) {
    // Of each level one tile at most was partial in the copy before.
    const before = widthOf(had, name.level === "entries" ? 0 : name.level, name.index);
    if (before > 0 && name.width === tileWidth) await removePartials(target, name);
  }
  for await (const { key } of from.store.list(evidencePrefix, from.signal)) {
    if ((await to.stat(key, from.signal)) === undefined) await put(key, await from.store.get(key, from.signal));
  }
  return { size, objects };
};

/** Every tile that the log has at `size` and had not, or not so wide, at `before`; entries first, and lower levels before higher ones. */
export const tilesSince = (before: number, size: number): TileName[] => {
  const names: TileName[] = [];
  const add = (level: TileName["level"], counted: number): void => {
    const first = Math.floor(hashesAtLevel(before, counted) / tileWidth);
    for (let index = first; widthOf(size, counted, index) > 0; index++) names.push({ level, index, width: widthOf(size, counted, index) });
  };
  add("entries", 0);
  for (let level = 0; hashesAtLevel(size, level) > 0; level++) add(level, level);
  return names;
};

/** The verified content of a tile of the log, at that width. */
export const contentOf = async (state: LogState, { level, index, width }: TileName): Promise<Uint8Array> =>
  level === "entries"
    ? encodeEntryBundle((await verifiedEntries(state, index)).slice(0, width))
    : encodeTile((await verifiedTile(state, level, index)).slice(0, width));

/** How far the copy has come, by its own head. */
export const sizeOfCopy = async (state: LogState, target: LogPlace): Promise<number> => {
  const { origin, store } = target;
  const head = await readHead(target);
  if (head === undefined) return 0;
  if (head.size > state.checkpoint.size) {
    throw new Failure(
      "LedgerCorrupt",
      `the copy of the log ${origin} in store ${store.name} has ${head.size} entries, and the log in store ${state.place.store.name} only ${state.checkpoint.size}: it was rolled back`,
    );
  }
  if (equalBytes(await rangeRoot(verifiedNode(state), 0, head.size), head.root)) return head.size;
  throw new Failure(
    "LedgerCorrupt",
    `the copy of the log ${origin} in store ${store.name} has another root at size ${head.size}: one of the two was rewritten`,
  );
};

/** Writes an object unless the store has these very bytes. Whether it was written. */
export const replaceIfOther = async (place: LogPlace, key: string, bytes: Uint8Array): Promise<boolean> => {
  const { store, signal } = place;
  const found = (await store.stat(key, signal)) === undefined ? undefined : await readIfThere(place, key);
  if (found !== undefined && equalBytes(found, bytes)) return false;
  // Stores take it that objects other than heads never change.
  if (found !== undefined && key !== checkpointKey && key !== headKey) await store.delete(key, signal);
  await store.put(key, bytes, signal);
  return true;
};

const removePartials = async ({ store, signal }: LogPlace, { level, index }: TileName): Promise<void> => {
  for await (const { key } of store.list(partialsPrefix(level, index), signal)) await store.delete(key, signal);
};
