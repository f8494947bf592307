import { Failure } from "../domain/failure.ts";
import type { Framing } from "../domain/snapshot.ts";

export interface RowSplitter {
  push(block: Uint8Array): void;
  /** A last row without its end counts as a row. Throws `Unexpected` when a `bson` row is cut off. */
  finish(): void;
}

/** Cuts a stream into its rows, each with its frame (line feed, length), and valid only during the call. A stream without rows is one row. */
export const createRowSplitter = (framing: Framing, onRow: (row: Uint8Array) => void): RowSplitter => {
  let rest = Buffer.alloc(0);
  const endOf = (bytes: Buffer, from: number): number => {
    if (framing === "opaque") return -1;
    if (framing !== "bson") {
      const end = bytes.indexOf(0x0a, from);
      return end < 0 ? -1 : end + 1;
    }
    if (bytes.length - from < 4) return -1;
    const length = bytes.readInt32LE(from);
    if (length < 5) throw new Failure("Unexpected", "a stream of BSON documents has one of less than five bytes");
    return bytes.length - from < length ? -1 : from + length;
  };
  return {
    push: (block) => {
      const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
      let at = 0;
      if (rest.length > 0) {
        // Only as much is joined as completes the row at hand, so that a long row does not copy the block again and again.
        const joined = Buffer.concat([rest, bytes]);
        const end = endOf(joined, 0);
        if (end < 0) {
          rest = joined;
          return;
        }
        onRow(joined.subarray(0, end));
        at = end - rest.length;
      }
      for (let end = endOf(bytes, at); end >= 0; end = endOf(bytes, at)) {
        onRow(bytes.subarray(at, end));
        at = end;
      }
      rest = Buffer.from(bytes.subarray(at));
    },
    finish: () => {
      if (rest.length === 0) return;
      if (framing === "bson") throw new Failure("Unexpected", "a stream of BSON documents ends within one");
      onRow(rest);
      rest = Buffer.alloc(0);
    },
  };
};
