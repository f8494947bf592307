import { emptyRoot, equalBytes, type Hash, nodeHash } from "./hash.ts";

/**
 * Checks of inclusion and consistency proofs, RFC 9162 sections 2.1.3.2 and 2.1.4.2 (the algorithms that RFC 6962
 * describes). Sizes are safe integers and may exceed 2^32, so halves are divisions, not shifts. Nothing here throws.
 */

/** No proof in a tree of fewer than 2^53 entries is longer. */
export const longestProof = 64;

const isOdd = (value: number): boolean => value % 2 === 1;
const half = (value: number): number => Math.floor(value / 2);
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** Whether `proof` shows that the entry with this leaf hash is entry `index` of the tree with `size` entries and this root. */
export const verifyInclusion = (leaf: Hash, index: number, size: number, proof: readonly Hash[], root: Hash): boolean => {
  if (!isCount(index) || !isCount(size) || index >= size || proof.length > longestProof) return false;
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      hash = nodeHash(sibling, hash);
      while (!isOdd(node) && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 && equalBytes(hash, root);
};

interface TreeHead {
  readonly size: number;
  readonly root: Hash;
}

/** Whether `proof` shows that the tree `newer` begins with all entries of the tree `older`, unchanged. */
export const verifyConsistency = (older: TreeHead, newer: TreeHead, proof: readonly Hash[]): boolean => {
  if (!isCount(older.size) || !isCount(newer.size) || older.size > newer.size || proof.length > longestProof) return false;
  if (older.size === newer.size) return proof.length === 0 && equalBytes(older.root, newer.root);
  if (older.size === 0) return proof.length === 0 && equalBytes(older.root, emptyRoot());
  return walkConsistency(older, newer, isPowerOfTwo(older.size) ? [older.root, ...proof] : proof);
};

const walkConsistency = (older: TreeHead, newer: TreeHead, path: readonly Hash[]): boolean => {
  const first = path[0];
  if (first === undefined) return false;
  let node = older.size - 1;
  let last = newer.size - 1;
  while (isOdd(node)) {
    node = half(node);
    last = half(last);
  }
  let olderHash = first;
  let newerHash = first;
  for (const sibling of path.slice(1)) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      olderHash = nodeHash(sibling, olderHash);
      newerHash = nodeHash(sibling, newerHash);
      while (!isOdd(node) && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      newerHash = nodeHash(newerHash, sibling);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 && equalBytes(olderHash, older.root) && equalBytes(newerHash, newer.root);
};

const isPowerOfTwo = (size: number): boolean => {
  let value = size;
  while (value > 1 && !isOdd(value)) value = half(value);
  return value === 1;
};
