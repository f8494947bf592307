import { leafHash, merkleRoot } from "./merkle.ts";

const byId = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * What the log entry says of a snapshot's ciphertext, hex: the RFC 6962 Merkle root whose leaves are first the packs
 * (`p`, id, root: 65 bytes) and then the ranges (`r`, id: 33 bytes), each sorted by id and named once.
 */
export const ciphertextRoot = (
  packRoots: readonly { readonly id: string; readonly root: string }[],
  rangeIds: readonly string[],
): string => {
  const packs = new Map(packRoots.map(({ id, root }) => [id, root]));
  const leaves = [
    ...[...packs].sort(([a], [b]) => byId(a, b)).map(([id, root]) => Buffer.concat([Buffer.from("p"), Buffer.from(id + root, "hex")])),
    ...[...new Set(rangeIds)].sort(byId).map((id) => Buffer.concat([Buffer.from("r"), Buffer.from(id, "hex")])),
  ];
  return merkleRoot(leaves.map(leafHash)).toString("hex");
};
