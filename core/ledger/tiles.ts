import { type Hash, nodeHash } from "./verify/hash.ts";

/** Names and contents of the log's objects, as https://c2sp.org/tlog-tiles describes them. Tiles are 256 hashes wide. */

export const tileWidth = 256;
export const hashBytes = 32;
/** The published head. */
export const checkpointKey = "log/checkpoint";
/** Where witnesses cosign before anything is published: how far the log was appended to. Not part of the C2SP's layout. */
export const headKey = "log/head";
export const tilePrefix = "log/tile/";

/** `width` below 256 is a partial tile. `level` counts tiles, each of which spans eight levels of the tree. */
export interface TileName {
  readonly level: number | "entries";
  readonly index: number;
  readonly width: number;
}

/** `1234067` → `x001/x234/067`. */
const indexPath = (index: number): string => {
  const groups: string[] = [];
  let rest = index;
  do {
    const digits = String(rest % 1000).padStart(3, "0");
    groups.unshift(groups.length === 0 ? digits : `x${digits}`);
    rest = Math.floor(rest / 1000);
  } while (rest > 0);
  return groups.join("/");
};

/** `log/tile/0/x001/234`, `log/tile/entries/000.p/17`. */
export const tileKey = ({ level, index, width }: TileName): string =>
  `${tilePrefix}${level}/${indexPath(index)}${width === tileWidth ? "" : `.p/${width}`}`;

/** What all partial versions of a tile begin with. */
export const partialsPrefix = (level: number | "entries", index: number): string => `${tilePrefix}${level}/${indexPath(index)}.p/`;

/** How many hashes level `level` holds in a log of `size` entries: one for each complete subtree of 256^level entries. */
export const hashesAtLevel = (size: number, level: number): number => Math.floor(size / tileWidth ** level);

/** How wide tile `index` of `level` is in a log of `size` entries; 0 when there is none. */
export const widthOf = (size: number, level: number, index: number): number =>
  Math.max(0, Math.min(tileWidth, hashesAtLevel(size, level) - index * tileWidth));

export const encodeTile = (hashes: readonly Hash[]): Uint8Array => new Uint8Array(Buffer.concat(hashes));

/** The hashes of a tile, as views of its bytes; undefined when these are not exactly `width` hashes. */
export const decodeTile = (bytes: Uint8Array, width: number): Hash[] | undefined =>
  bytes.length === width * hashBytes
    ? Array.from({ length: width }, (_, at) => bytes.subarray(at * hashBytes, (at + 1) * hashBytes))
    : undefined;

/** Each entry after its length as a big-endian uint16. */
export const encodeEntryBundle = (entries: readonly Uint8Array[]): Uint8Array => {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    if (entry.length > 0xffff) throw new RangeError("an entry is longer than 65,535 bytes");
    parts.push(Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry);
  }
  return new Uint8Array(Buffer.concat(parts));
};

/** The entries of a bundle, as views of its bytes; undefined when these are not exactly `width` of them. */
export const decodeEntryBundle = (bytes: Uint8Array, width: number): Uint8Array[] | undefined => {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length && entries.length < width) {
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    if (at + 2 + length > bytes.length) return undefined;
    entries.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return at === bytes.length && entries.length === width ? entries : undefined;
};

/** The root of a complete subtree whose 1, 2, 4 … 256 hashes these are. */
export const completeRoot = (hashes: readonly Hash[]): Hash => {
  let row = hashes;
  while (row.length > 1) row = Array.from({ length: row.length / 2 }, (_, at) => nodeHash(row[2 * at]!, row[2 * at + 1]!));
  return row[0]!;
};
