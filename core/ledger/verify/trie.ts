import { keccak256 } from "./crypto.ts";
import { equalBytes } from "./hash.ts";
import { decodeRlp, type Rlp } from "./rlp.ts";

/** Proofs in Ethereum's Merkle Patricia tries (Yellow Paper, appendix D). */

/**
 * The value under `key` in the trie with this root, which `nodes` (encoded, from the root downwards, without those that lie inside
 * their parent) prove; undefined when they do not, or when one of them is not needed.
 */
export const provenValue = (root: Uint8Array, key: Uint8Array, nodes: readonly Uint8Array[]): Uint8Array | undefined => {
  const path = nibblesOf(key);
  let at = 0;
  let used = 0;
  let reference: Rlp = root;
  // Every step but the one into a value consumes a part of the path.
  for (let steps = 0; steps <= path.length + 1; steps++) {
    const node = resolve(reference, nodes[used]);
    if (node === undefined) return undefined;
    if (node.stored) used++;
    const done = (value: Rlp | undefined): Uint8Array | undefined =>
      value instanceof Uint8Array && value.length > 0 && used === nodes.length ? value : undefined;
    if (node.items.length === 17) {
      if (at === path.length) return done(node.items[16]);
      reference = node.items[path[at++]!]!;
      continue;
    }
    const segment = decodeSegment(node.items[0]!);
    if (segment === undefined || !segment.nibbles.every((nibble, index) => nibble === path[at + index])) return undefined;
    at += segment.nibbles.length;
    if (segment.leaf) return at === path.length ? done(node.items[1]) : undefined;
    reference = node.items[1]!;
  }
  return undefined;
};

/** A node that a reference leads to: one shorter than 32 bytes is the reference itself, any other is named by its hash. */
const resolve = (reference: Rlp, stored: Uint8Array | undefined): { items: readonly Rlp[]; stored: boolean } | undefined => {
  const inside = !(reference instanceof Uint8Array);
  if (!inside && (stored === undefined || !equalBytes(keccak256(stored), reference))) return undefined;
  const node = inside ? reference : decodeRlp(stored!);
  if (node === undefined || node instanceof Uint8Array || (node.length !== 17 && node.length !== 2)) return undefined;
  return { items: node, stored: !inside };
};

/** The hex-prefix encoding of a part of a path. */
const decodeSegment = (item: Rlp): { nibbles: number[]; leaf: boolean } | undefined => {
  if (!(item instanceof Uint8Array) || item.length === 0) return undefined;
  const [flags, ...rest] = nibblesOf(item) as [number, ...number[]];
  if (flags > 3) return undefined;
  return { nibbles: flags % 2 === 1 ? rest : rest.slice(1), leaf: flags >= 2 };
};

const nibblesOf = (bytes: Uint8Array): number[] => [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);
