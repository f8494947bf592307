import type { ProofBundle } from "../../core/ledger/verify/audit.ts";
import { fromHex, toHex } from "../../core/ledger/verify/bytes.ts";
import { entryBytes } from "../../core/ledger/verify/entry.ts";
import { leafHash, nodeHash } from "../../core/ledger/verify/hash.ts";

/** One step of the way from an entry to the root: the hash beside it, on which side, and what the two make. */
export interface PathStep {
  readonly side: "left" | "right";
  readonly beside: string;
  readonly hash: string;
}

/** The way that the bundle's inclusion proof goes, for showing it (RFC 9162 section 2.1.3.2); whether it leads to the root, the audit says. */
export const inclusionPath = ({ entry, index, inclusion }: ProofBundle, size: number): { leaf: string; steps: PathStep[] } => {
  let hash = leafHash(entryBytes(entry));
  const leaf = toHex(hash);
  let [node, last] = [index, size - 1];
  const steps = inclusion.map((beside): PathStep => {
    const left = node % 2 === 1 || node === last;
    hash = left ? nodeHash(fromHex(beside), hash) : nodeHash(hash, fromHex(beside));
    while (left && node % 2 === 0 && node !== 0) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
    return { side: left ? "left" : "right", beside, hash: toHex(hash) };
  });
  return { leaf, steps };
};
