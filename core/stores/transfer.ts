import { Failure } from "../domain/failure.ts";
import type { ByteRange } from "./store.ts";

/** The part of an object of `size` bytes that is asked for. `ObjectCorrupt` when the object ends before it does. */
export const rangeWithin = (what: string, size: number, range: ByteRange | undefined): ByteRange => {
  if (range === undefined) return { offset: 0, length: size };
  const end = range.offset + range.length;
  if (range.offset < 0 || range.length < 0 || !Number.isSafeInteger(end)) throw new RangeError(`${what}: not a byte range`);
  if (end > size) throw new Failure("ObjectCorrupt", `${what} is ${size} bytes, and bytes ${range.offset} to ${end} of it were expected`);
  return range;
};

/** All blocks of `source` in one buffer; a transfer that brings fewer or more than `expected` bytes is `StoreUnreachable`. */
export const collect = async (
  what: string,
  source: AsyncIterable<Uint8Array | string>,
  expected: number,
  progressed: () => void,
): Promise<Uint8Array> => {
  const whole = new Uint8Array(expected);
  let filled = 0;
  for await (const part of source) {
    const block = typeof part === "string" ? Buffer.from(part, "binary") : part;
    progressed();
    if (filled + block.length <= expected) whole.set(block, filled);
    filled += block.length;
    if (filled > expected) break;
  }
  if (filled !== expected) throw new Failure("StoreUnreachable", `${what}: the transfer brought ${filled} of ${expected} bytes`);
  return whole;
};

/** After a put: the store must report the size that was sent. */
export const checkStoredSize = (what: string, stored: number | undefined, sent: number): void => {
  if (stored !== sent)
    throw new Failure("ObjectCorrupt", `${what}: the store reports ${stored ?? "no"} bytes of the ${sent} that were sent`);
};

/** Some answers put the etag in quotes, others do not. */
export const plainEtag = (etag: string | undefined): string => (etag ?? "").replaceAll('"', "");
