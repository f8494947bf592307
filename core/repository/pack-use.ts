import { packHeadBytes } from "./pack-layout.ts";
import { packEndBytes } from "./packs.ts";
import type { RangeIndex } from "./ranges.ts";

/** Which chunks of a pack a range refers to: 8 bytes each, offset and stored bytes, u32 little-endian, in the order of the offsets. */
const recordBytes = 8;

export interface PackUse {
  readonly pack: string;
  /** Of a pack that had only these chunks. */
  readonly bytes: number;
  readonly used: Uint8Array;
}

/** For each pack that a range refers to, what it needs of it. */
export const packUses = ({ chunks, packs }: RangeIndex): PackUse[] => {
  const byPack = new Map(packs.map((pack) => [pack, new Map<number, number>()]));
  for (const { location } of chunks) byPack.get(location.pack)!.set(location.offset, location.storedBytes);
  return [...byPack].map(([pack, sizes]) => {
    const used = Buffer.alloc(sizes.size * recordBytes);
    [...sizes]
      .sort(([a], [b]) => a - b)
      .forEach(([offset, size], n) => {
        used.writeUInt32LE(offset, n * recordBytes);
        used.writeUInt32LE(size, n * recordBytes + 4);
      });
    return { pack, bytes: packBytesOf(sizes), used };
  });
};

/** Bytes of a pack that had only the chunks which several ranges need together: what two of them refer to counts once. */
export const unitedBytes = (uses: readonly Uint8Array[]): number => {
  const sizes = new Map<number, number>();
  for (const bytes of uses) {
    const used = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < used.length; at += recordBytes) sizes.set(used.readUInt32LE(at), used.readUInt32LE(at + 4));
  }
  return packBytesOf(sizes);
};

/**
 * What head and directory take is needed with the chunks, since a rewriting would write it again: else a pack of one tiny chunk
 * would count as mostly dead, and would be rewritten for ever.
 */
const packBytesOf = (sizes: ReadonlyMap<number, number>): number =>
  sizes.size === 0 ? 0 : packHeadBytes + sum(sizes.values()) + packEndBytes(sizes.size);

/** Bytes of the range's content. */
export const contentBytes = ({ chunks }: RangeIndex): number => chunks.reduce((total, { location }) => total + location.plainBytes, 0);

const sum = (numbers: Iterable<number>): number => Iterator.from(numbers).reduce((total, n) => total + n, 0);
