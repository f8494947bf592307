import { deriveWide } from "./derive.ts";

/** The polynomials' multipliers, one a lane. Odd, public. */
export const multiplierA = 0x01000193;
export const multiplierB = 0x85ebca6b | 0;

/** What each byte adds, by lane, and what the lanes start from. */
export interface RowTables {
  readonly seedA: number;
  readonly seedB: number;
  readonly a: Int32Array;
  readonly b: Int32Array;
}

/**
 * 514 little-endian int32 from the digest key: 33 blocks `deriveWide("dbgov-1/row-table", digestKey, block number as one
 * byte)` one after the other; the first 256 are lane A's, the next 256 lane B's, then the seeds of A and B.
 */
export const rowTables = (digestKey: Uint8Array): RowTables => {
  const blocks = Array.from({ length: 33 }, (_, n) => deriveWide("dbgov-1/row-table", Buffer.concat([digestKey, Buffer.from([n])])));
  const bytes = Buffer.concat(blocks);
  const words = Int32Array.from({ length: 514 }, (_, n) => bytes.readInt32LE(n * 4));
  const a = words.slice(0, 256);
  const b = words.slice(256, 512);
  return { seedA: words[512]!, seedB: words[513]!, a, b };
};

/** murmur3's 32-bit finalizer: a bijection that spreads every bit. */
export const mix = (value: number): number => {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
};
