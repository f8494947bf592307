import { hash } from "node:crypto";

/** The Merkle tree that a piece commitment is the root of: written from the specification (FRC-0069), to prove possession with, and to check the SDK by. */
export interface PieceTree {
  /** Level 0 has the leaves; nodes of 32 bytes one after another. */
  readonly levels: readonly Buffer[];
}

/** Every 127 bytes become four numbers of 254 bits, each in 32 bytes. */
const padFr32 = (payload: Uint8Array, padded: number): Buffer => {
  const out = Buffer.alloc(padded);
  for (let quad = 0; quad * 127 < payload.length; quad += 1) {
    for (let word = 0; word < 4; word += 1) {
      for (let byte = 0; byte < 32; byte += 1) {
        const bit = 254 * word + 8 * byte;
        const [from, shift] = [quad * 127 + (bit >> 3), bit & 7];
        const last = byte === 31;
        const high = shift === 0 || (last && shift <= 2) ? 0 : (payload[from + 1] ?? 0) << (8 - shift);
        out[quad * 128 + word * 32 + byte] = (((payload[from] ?? 0) >> shift) | high) & (last ? 0x3f : 0xff);
      }
    }
  }
  return out;
};

export const pieceTree = (payload: Uint8Array): PieceTree => {
  let padded = 128;
  while ((padded / 128) * 127 < payload.length) padded *= 2;
  const levels = [padFr32(payload, padded)];
  for (let level = levels[0]!; level.length > 32; ) {
    const above = Buffer.alloc(level.length / 2);
    for (let offset = 0; offset < above.length; offset += 32) {
      hash("sha256", level.subarray(offset * 2, offset * 2 + 64), "buffer").copy(above, offset);
      above[offset + 31]! &= 0x3f;
    }
    levels.push(above);
    level = above;
  }
  return { levels };
};

const hex = (node: Uint8Array): string => `0x${Buffer.from(node).toString("hex")}`;
const nodeAt = (level: Buffer, index: number): string => hex(level.subarray(index * 32, index * 32 + 32));

export const rootOf = ({ levels }: PieceTree): string => nodeAt(levels.at(-1)!, 0);

/** What proves that leaf `index` is under the root. */
export const proofOf = ({ levels }: PieceTree, index: number): { leaf: string; proof: string[] } => ({
  leaf: nodeAt(levels[0]!, index),
  proof: levels.slice(0, -1).map((level, height) => nodeAt(level, (index >> height) ^ 1)),
});
