import { Failure, isFailure } from "../domain/failure.ts";
import type { Store } from "../stores/store.ts";
import type { HeadKey } from "./append.ts";
import { readCheckpoint } from "./checkpoint.ts";
import { replaceIfOther, tilesSince } from "./copy-log.ts";
import { type LogPlace, readHead, readIfThere } from "./log-state.ts";
import {
  checkpointKey,
  completeRoot,
  decodeEntryBundle,
  decodeTile,
  encodeEntryBundle,
  encodeTile,
  hashesAtLevel,
  type TileName,
  tileKey,
  tileWidth,
  widthOf,
} from "./tiles.ts";
import { type ReadNode, rangeRoot } from "./tree.ts";
import { equalBytes, type Hash, leafHash, utf8 } from "./verify/hash.ts";

/**
 * Puts right what is missing or altered in the log's store, from the log's own entries and from copies of it in other stores: whatever is
 * written hashes to a signed checkpoint. `known` is a signed note that must not be fallen back behind, as the catalog has it; `target` the
 * object that gets it back when it is lost. Throws
 * `LedgerCorrupt` when nobody has an entry that is needed any more, or the log does not begin as `known` says. Returns the keys of the objects that were replaced.
 */
export const healLog = async (
  place: LogPlace,
  copies: readonly Store[],
  { known, target = checkpointKey }: { known?: string | undefined; target?: HeadKey } = {},
): Promise<string[]> => {
  const { origin, keys, store } = place;
  const own = await readHead(place).catch((error: unknown) => {
    if (isFailure(error, "LedgerCorrupt")) return undefined;
    throw error;
  });
  const noted = known === undefined ? undefined : readCheckpoint(utf8(known), origin, keys, "the catalog's checkpoint");
  const head = own !== undefined && own.size >= (noted?.size ?? 0) ? own : noted;
  if (head === undefined)
    throw new Failure("LedgerCorrupt", `the log ${origin} has no valid checkpoint in store ${store.name}, nor in the catalog`);
  const places = [place, ...copies.map((copy) => ({ ...place, store: copy }))];
  const tiles = await rebuildTiles(places, head.size);
  const node: ReadNode = async (level, index) => nodeIn(tiles, level, index);
  const root = await rangeRoot(node, 0, head.size);
  if (!equalBytes(root, head.root)) {
    throw new Failure(
      "LedgerCorrupt",
      `the entries of the log ${origin}, in all stores together, do not hash to its checkpoint of size ${head.size}`,
    );
  }
  // The store's head may be signed and larger, and yet be of another history than the one that the catalog has.
  if (noted !== undefined && !equalBytes(await rangeRoot(node, 0, noted.size), noted.root)) {
    throw new Failure(
      "LedgerCorrupt",
      `the log ${origin} in store ${store.name} has another root at size ${noted.size} than the catalog's checkpoint: it was rewritten, and nothing was replaced`,
    );
  }
  const replaced: string[] = [];
  for (const name of tilesSince(0, head.size)) {
    const bytes =
      name.level === "entries" ? encodeEntryBundle(tiles.entries[name.index]!) : encodeTile(hashesOf(tiles, name.level, name.index));
    if (await replaceIfOther(place, tileKey(name), bytes)) replaced.push(tileKey(name));
  }
  if (head !== own && (await replaceIfOther(place, target, utf8(head.note)))) replaced.push(target);
  return replaced;
};

/** The whole log: its entry bundles, and the hashes of each level of tiles. */
interface Tiles {
  readonly entries: readonly (readonly Uint8Array[])[];
  readonly levels: readonly (readonly Hash[])[];
}

const rebuildTiles = async (places: readonly LogPlace[], size: number): Promise<Tiles> => {
  const entries: (readonly Uint8Array[])[] = [];
  for (let index = 0; index * tileWidth < size; index++) entries.push(await entriesOf(places, size, index));
  const levels: Hash[][] = [entries.flatMap((bundle) => bundle.map(leafHash))];
  for (let level = 1; hashesAtLevel(size, level) > 0; level++) {
    const below = levels[level - 1]!;
    levels.push(
      Array.from({ length: hashesAtLevel(size, level) }, (_, at) => completeRoot(below.slice(at * tileWidth, (at + 1) * tileWidth))),
    );
  }
  return { entries, levels };
};

/** The first bundle that agrees with a tile of leaf hashes, whichever store has the one and the other; else the first that can be read at all. */
const entriesOf = async (places: readonly LogPlace[], size: number, index: number): Promise<readonly Uint8Array[]> => {
  const width = widthOf(size, 0, index);
  const bundles: Uint8Array[][] = [];
  const tiles: Hash[][] = [];
  for (const place of places) {
    for (const bytes of await versionsOf(place, { level: "entries", index, width })) {
      const bundle = decodeEntryBundle(bytes, width) ?? decodeEntryBundle(bytes, tileWidth)?.slice(0, width);
      if (bundle !== undefined) bundles.push(bundle);
    }
    for (const bytes of await versionsOf(place, { level: 0, index, width })) {
      const tile = decodeTile(bytes, width) ?? decodeTile(bytes, tileWidth)?.slice(0, width);
      if (tile !== undefined) tiles.push(tile);
    }
  }
  const agrees = (bundle: readonly Uint8Array[]): boolean =>
    tiles.some((tile) => bundle.every((entry, at) => equalBytes(leafHash(entry), tile[at]!)));
  const chosen = bundles.find(agrees) ?? bundles[0];
  if (chosen !== undefined) return chosen;
  const { origin } = places[0]!;
  const stores = places.map(({ store }) => store.name).join(", ");
  throw new Failure(
    "LedgerCorrupt",
    `${tileKey({ level: "entries", index, width })} of the log ${origin} is lost in every store that has the log: ${stores}`,
  );
};

const versionsOf = async (place: LogPlace, name: TileName): Promise<Uint8Array[]> => {
  const found = [await readIfThere(place, tileKey(name)), await readIfThere(place, tileKey({ ...name, width: tileWidth }))];
  return found.filter((bytes) => bytes !== undefined);
};

const hashesOf = ({ levels }: Tiles, level: number, index: number): readonly Hash[] =>
  levels[level]!.slice(index * tileWidth, (index + 1) * tileWidth);

const nodeIn = (tiles: Tiles, level: number, index: number): Hash => {
  const within = 2 ** (level % 8);
  return completeRoot(tiles.levels[Math.floor(level / 8)]!.slice(index * within, (index + 1) * within));
};
