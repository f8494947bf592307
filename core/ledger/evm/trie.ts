import { encodeRlp, getBytes, keccak256, type RlpStructuredData, toBeArray } from "ethers";

/** Building Merkle Patricia tries (Yellow Paper, appendix D) of a block's transactions or receipts, for proofs out of them. */

interface Item {
  readonly path: readonly number[];
  readonly value: string;
}

/** The trie's root, and the encoded nodes from the root to the value of `index`, of the list `values` (each `0x…`) as blocks have it. */
export const proofInList = (values: readonly string[], index: number): { root: string; nodes: string[] } => {
  const items = values.map((value, at) => ({ path: nibblesOf(keyOf(at)), value }));
  const nodes: string[] = [];
  const root = encodeRlp(buildNode(items, 0, nibblesOf(keyOf(index)), nodes));
  return { root: keccak256(root), nodes: [root, ...nodes.reverse()] };
};

const keyOf = (index: number): Uint8Array => getBytes(encodeRlp(toBeArray(index)));
const nibblesOf = (bytes: Uint8Array): number[] => [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);

/** `wanted` is the rest of a path that the proof follows; the nodes on it, below this one, are added to `nodes` from the bottom upwards. */
const buildNode = (items: readonly Item[], depth: number, wanted: readonly number[] | undefined, nodes: string[]): RlpStructuredData => {
  const [first] = items as [Item, ...Item[]];
  if (items.length === 1) return [hexPrefix(first.path.slice(depth), true), first.value];
  const shared = sharedLength(items, depth);
  if (shared > 0) {
    const child = buildNode(items, depth + shared, wanted, nodes);
    return [hexPrefix(first.path.slice(depth, depth + shared), false), refer(child, wanted !== undefined, nodes)];
  }
  // No key of a list is the beginning of another, so a branch has no value of its own.
  const branch: RlpStructuredData[] = [];
  for (let nibble = 0; nibble < 16; nibble++) {
    const below = items.filter(({ path }) => path[depth] === nibble);
    const onPath = wanted !== undefined && wanted[depth] === nibble ? wanted : undefined;
    branch.push(below.length === 0 ? "0x" : refer(buildNode(below, depth + 1, onPath, nodes), onPath !== undefined, nodes));
  }
  return [...branch, "0x"];
};

/** A node of fewer than 32 bytes lies inside its parent; any other is named by its hash. */
const refer = (node: RlpStructuredData, onPath: boolean, nodes: string[]): RlpStructuredData => {
  const encoded = encodeRlp(node);
  if (encoded.length < 2 + 2 * 32) return node;
  if (onPath) nodes.push(encoded);
  return keccak256(encoded);
};

const sharedLength = (items: readonly Item[], depth: number): number => {
  const [first] = items as [Item, ...Item[]];
  let length = 0;
  while (items.every(({ path }) => path[depth + length] === first.path[depth + length])) length++;
  return length;
};

const hexPrefix = (nibbles: readonly number[], leaf: boolean): string => {
  const flag = (leaf ? 2 : 0) + (nibbles.length % 2);
  const all = nibbles.length % 2 === 1 ? [flag, ...nibbles] : [flag, 0, ...nibbles];
  return `0x${all.map((nibble) => nibble.toString(16)).join("")}`;
};
