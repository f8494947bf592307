import { createHash } from "node:crypto";
import { packBlockBytes } from "./pack-layout.ts";

/** What nobody could know before a checkpoint was anchored: its root, and the hash of the block that holds the transaction. */
export interface PublicRandomness {
  /** 64 hex digits. */
  readonly root: string;
  /** `0x` and 64 hex digits, as chains write it. */
  readonly blockHash: string;
}

export interface ChosenBlock {
  readonly pack: string;
  /** Counted within the pack, in blocks of 64 KiB. */
  readonly block: number;
}

/**
 * Which blocks of a snapshot's packs a challenge reads: `docs/proof.md` has the rule, so that an auditor can repeat it. The same input gives the same
 * blocks, each once; all of them where there are not more than `count`. Sorted by pack and block.
 */
export const chooseBlocks = (
  snapshot: string,
  { root, blockHash }: PublicRandomness,
  packs: readonly { readonly id: string; readonly bytes: number }[],
  count: number,
): ChosenBlock[] => {
  const seed = createHash("sha256").update(`dbgov challenge\n${snapshot}\n${root}\n${blockHash}\n`).digest();
  const sorted = [...packs].sort((a, b) => (a.id < b.id ? -1 : 1));
  const starts: number[] = [];
  let total = 0;
  for (const { bytes } of sorted) {
    starts.push(total);
    total += Math.ceil(bytes / packBlockBytes);
  }
  const chosen = new Set<number>();
  for (let draw = 0; chosen.size < Math.min(count, total); draw++) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(draw);
    const number = createHash("sha256").update(seed).update(counter).digest().readBigUInt64BE();
    chosen.add(Number(number % BigInt(total)));
  }
  return [...chosen]
    .sort((a, b) => a - b)
    .map((number) => {
      const at = starts.findLastIndex((start) => start <= number);
      return { pack: sorted[at]!.id, block: number - starts[at]! };
    });
};
