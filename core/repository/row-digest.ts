import type { Framing, RowDigest } from "../domain/snapshot.ts";
import { createRowScanner } from "./row-scanner.ts";

/** The digest of no bytes. */
export const emptyRowDigest: RowDigest = { rows: 0, sum: "0000000000000000", bytes: 0 };

const lane = (sum: string, at: number): number => Number.parseInt(sum.slice(at, at + 8), 16);

/** Two lanes as 16 hex digits. */
export const sumText = (high: number, low: number): string =>
  (high >>> 0).toString(16).padStart(8, "0") + (low >>> 0).toString(16).padStart(8, "0");

/** The digest of both together: each 32-bit half of the sum is added mod 2^32. Commutative and associative. */
export const addRowDigests = (a: RowDigest, b: RowDigest): RowDigest => ({
  rows: a.rows + b.rows,
  bytes: a.bytes + b.bytes,
  sum: sumText(lane(a.sum, 0) + lane(b.sum, 0), lane(a.sum, 8) + lane(b.sum, 8)),
});

/** The digest of a stream of bytes, however it is split into blocks. Throws `Unexpected` when `bson` framing is broken. */
export const rowDigestOf = async (blocks: AsyncIterable<Uint8Array>, framing: Framing, digestKey: Uint8Array): Promise<RowDigest> => {
  const scanner = createRowScanner(framing, digestKey);
  for await (const block of blocks) scanner.scan(block);
  return scanner.finish();
};
