import { Failure } from "../domain/failure.ts";

/**
 * What a piece is, as its metadata on the chain says: up to five values of 128 bytes. The text is `1 SIZE VERSION EPOCH KEY`, cut
 * between characters. It is public, as the piece is.
 */
export interface PieceRecord {
  readonly key: string;
  /** Of the object; its piece may be longer, since the network takes nothing below 127 bytes. */
  readonly bytes: number;
  /** Counts up with every put of other bytes under the key. */
  readonly version: number;
  /** The chain's height before the piece was sent. */
  readonly epoch: number;
}

const values = 5;
const valueBytes = 128;
const layout = "1";
const nameOf = (index: number): string => `dbgov${index}`;

export const metadataOf = (record: PieceRecord): Record<string, string> => {
  const parts = [""];
  for (const character of [layout, record.bytes, record.version, record.epoch, record.key].join(" ")) {
    if (Buffer.byteLength(parts.at(-1)! + character) > valueBytes) parts.push("");
    parts[parts.length - 1] += character;
  }
  if (parts.length > values) throw new Failure("StoreRejected", `the key ${record.key.slice(0, 60)}… is too long for a piece's metadata`);
  return Object.fromEntries(parts.map((part, index) => [nameOf(index), part]));
};

/** Undefined for a piece that is none of ours. */
export const recordOf = (keys: readonly string[], parts: readonly string[]): PieceRecord | undefined => {
  const byName = new Map(keys.map((key, index) => [key, parts[index] ?? ""]));
  const text = Array.from({ length: values }, (_, index) => byName.get(nameOf(index)) ?? "").join("");
  const found = /^1 (\d{1,15}) (\d{1,15}) (\d{1,15}) (.+)$/su.exec(text);
  if (found === null) return undefined;
  return { key: found[4]!, bytes: Number(found[1]), version: Number(found[2]), epoch: Number(found[3]) };
};
