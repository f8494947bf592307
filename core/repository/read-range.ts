import type { OpenRange } from "./ranges.ts";

/** Reads `length` bytes at `offset` of a pack; throws `ObjectMissing` when there is no such pack. */
export type ReadPack = (pack: string, range: { readonly offset: number; readonly length: number }) => Promise<Uint8Array>;

/** The content of a range, chunk by chunk. Throws `ObjectCorrupt` naming pack and offset. */
export async function* readRange(_range: OpenRange, _read: ReadPack): AsyncIterable<Uint8Array> {
  throw new Error("being written");
}
