import { emptyRoot, type Hash, nodeHash } from "./verify/hash.ts";

/** Roots and proofs of RFC 6962 section 2.1, from the hashes of complete subtrees. */

/** The root of the complete subtree over the entries from `index * 2^level`, 2^level of them. */
export type ReadNode = (level: number, index: number) => Promise<Hash>;

/** The largest power of two below `size` (which is at least 2). */
const split = (size: number): number => {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
};

/** MTH(D[start:start+size]), where `start` is a multiple of the smallest power of two that is not below `size`, as in every proof. */
export const rangeRoot = async (read: ReadNode, start: number, size: number): Promise<Hash> => {
  if (size === 0) return emptyRoot();
  const level = Math.log2(size);
  if (Number.isInteger(level) && 2 ** level === size) return read(level, start / size);
  const left = split(size);
  return nodeHash(await rangeRoot(read, start, left), await rangeRoot(read, start + left, size - left));
};

/** PATH(index, D[0:size]), from the leaf upwards. */
export const inclusionPath = async (read: ReadNode, index: number, size: number, start = 0): Promise<Hash[]> => {
  if (size <= 1) return [];
  const left = split(size);
  return index < left
    ? [...(await inclusionPath(read, index, left, start)), await rangeRoot(read, start + left, size - left)]
    : [...(await inclusionPath(read, index - left, size - left, start + left)), await rangeRoot(read, start, left)];
};

/** PROOF(from, D[0:to]); empty when `from` is 0 or `to`. */
export const consistencyPath = (read: ReadNode, from: number, to: number): Promise<Hash[]> =>
  from === 0 ? Promise.resolve([]) : subproof(read, from, to, 0, true);

const subproof = async (read: ReadNode, from: number, to: number, start: number, known: boolean): Promise<Hash[]> => {
  if (from === to) return known ? [] : [await rangeRoot(read, start, to)];
  const left = split(to);
  return from <= left
    ? [...(await subproof(read, from, left, start, known)), await rangeRoot(read, start + left, to - left)]
    : [...(await subproof(read, from - left, to - left, start + left, false)), await rangeRoot(read, start, left)];
};
