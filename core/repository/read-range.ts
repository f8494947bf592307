import { Failure } from "../domain/failure.ts";
import type { ChunkRef } from "./capture-writer.ts";
import type { OpenRange } from "./ranges.ts";
import { openChunk } from "./sealed-chunk.ts";

/** Reads `length` bytes at `offset` of a pack; throws `ObjectMissing` when there is no such pack. */
export type ReadPack = (pack: string, range: { readonly offset: number; readonly length: number }) => Promise<Uint8Array>;

export interface ReadRangeOptions {
  /** How many bytes one read may cover. @default 4 MiB */
  readonly readBytes?: number;
  /** How many reads are under way while the content of an earlier one is used. @default 2 */
  readonly ahead?: number;
}

/** Chunks that lie side by side in one pack, in order. */
interface Span {
  readonly pack: string;
  readonly offset: number;
  length: number;
  readonly chunks: ChunkRef[];
}

/** Sealed bytes between two chunks that are rather read for nothing than with a read of their own. */
const gapBytes = 64 * 1024;

function* spans(chunks: readonly ChunkRef[], readBytes: number): Generator<Span> {
  let span: Span | undefined;
  for (const chunk of chunks) {
    const { pack, offset, storedBytes } = chunk.location;
    const end = span === undefined ? 0 : span.offset + span.length;
    const joins =
      span !== undefined &&
      span.pack === pack &&
      offset >= end &&
      offset - end <= gapBytes &&
      offset + storedBytes - span.offset <= readBytes;
    if (span !== undefined && joins) {
      span.chunks.push(chunk);
      span.length = offset + storedBytes - span.offset;
    } else {
      if (span !== undefined) yield span;
      span = { pack, offset, length: storedBytes, chunks: [chunk] };
    }
  }
  if (span !== undefined) yield span;
}

const openSpan = (span: Span, bytes: Uint8Array): Uint8Array[] => {
  if (bytes.length !== span.length) {
    throw new Failure(
      "ObjectCorrupt",
      `pack ${span.pack} is cut off: ${bytes.length} of ${span.length} bytes could be read at offset ${span.offset}`,
    );
  }
  return span.chunks.map(({ id, key, location }) => {
    const from = location.offset - span.offset;
    const content = openChunk(bytes.subarray(from, from + location.storedBytes), id, key, location.plainBytes);
    if (content !== undefined) return content;
    throw new Failure(
      "ObjectCorrupt",
      `pack ${location.pack} was altered: the chunk of ${location.storedBytes} bytes at offset ${location.offset} does not open`,
    );
  });
};

/**
 * The content of a range, chunk by chunk, each block the consumer's to keep. Every byte is authenticated before it is given out.
 * Throws `ObjectCorrupt`, naming pack and offset, and whatever `read` throws.
 */
export async function* readRange(range: OpenRange, read: ReadPack, options: ReadRangeOptions = {}): AsyncGenerator<Uint8Array, void, void> {
  const { readBytes = 4 * 1024 * 1024, ahead = 2 } = options;
  const todo = spans(range.chunks, readBytes);
  const underway: { span: Span; bytes: Promise<Uint8Array> }[] = [];
  const start = (): void => {
    const next = todo.next();
    if (next.done) return;
    const { pack, offset, length } = next.value;
    const bytes = read(pack, { offset, length });
    // A failure is thrown when its turn comes; until then, or if the consumer stops, it must not count as unhandled.
    bytes.catch(() => {});
    underway.push({ span: next.value, bytes });
  };
  for (let n = 0; n <= ahead; n++) start();
  for (let head = underway.shift(); head !== undefined; head = underway.shift()) {
    const bytes = await head.bytes;
    start();
    yield* openSpan(head.span, bytes);
  }
}
