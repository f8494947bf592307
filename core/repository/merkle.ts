import { createHash, hash } from "node:crypto";

const leafPrefix = Buffer.from([0]);
const nodePrefix = Buffer.from([1]);

/** RFC 6962, section 2.1: SHA-256 of 0x00 and the leaf's data. */
export const leafHash = (data: Uint8Array): Buffer => createHash("sha256").update(leafPrefix).update(data).digest();

/** RFC 6962, section 2.1: SHA-256 of 0x01 and both children. */
const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => hash("sha256", Buffer.concat([nodePrefix, left, right]), "buffer");

/** The largest power of two smaller than `count`, for `count` > 1. */
const split = (count: number): number => 2 ** Math.floor(Math.log2(count - 1));

/** RFC 6962 Merkle tree hash over leaf hashes; of no leaves, SHA-256 of nothing. */
export const merkleRoot = (leaves: readonly Uint8Array[]): Buffer => {
  const root = (from: number, to: number): Buffer => {
    if (to - from === 1) return Buffer.from(leaves[from]!);
    const middle = from + split(to - from);
    return nodeHash(root(from, middle), root(middle, to));
  };
  return leaves.length === 0 ? hash("sha256", Buffer.alloc(0), "buffer") : root(0, leaves.length);
};

/** RFC 6962, section 2.1.1: the audit path of leaf `index`, from the leaf's sibling upward. */
export const merklePath = (leaves: readonly Uint8Array[], index: number): Buffer[] => {
  const path = (from: number, to: number): Buffer[] => {
    if (to - from === 1) return [];
    const middle = from + split(to - from);
    return index < middle
      ? [...path(from, middle), merkleRoot(leaves.slice(middle, to))]
      : [...path(middle, to), merkleRoot(leaves.slice(from, middle))];
  };
  return path(0, leaves.length);
};

/** The root that `path` leads to from leaf hash `leaf` at `index` of `count` leaves; undefined when the path has the wrong length. */
export const rootFromPath = (leaf: Uint8Array, index: number, count: number, path: readonly Uint8Array[]): Buffer | undefined => {
  let used = path.length;
  const climb = (from: number, to: number): Buffer | undefined => {
    if (to - from === 1) return Buffer.from(leaf);
    const sibling = path[--used];
    if (sibling === undefined) return undefined;
    const middle = from + split(to - from);
    const child = index < middle ? climb(from, middle) : climb(middle, to);
    if (child === undefined) return undefined;
    return index < middle ? nodeHash(child, sibling) : nodeHash(sibling, child);
  };
  if (!Number.isInteger(index) || index < 0 || index >= count) return undefined;
  const root = climb(0, count);
  return used === 0 ? root : undefined;
};
