import { Failure } from "../../domain/failure.ts";

/**
 * The reply to `find` or `getMore`, read in place: `{ id: int64, ns: string, firstBatch | nextBatch: [documents] }`.
 * The driver's own raw mode visits every field of every document on the way; for a backup that is most of its work.
 */
export interface CursorReply {
  /** 0n when the server has no more. */
  readonly id: bigint;
  /** Where the batch's elements lie in the reply's bytes. */
  readonly start: number;
  readonly end: number;
}

const broken = (): Failure => new Failure("Unexpected", "The MongoDB server's cursor reply is not well-formed BSON.");

/** Reads the `cursor` sub-document of a reply. Only the fixed set of types that servers put there is understood. */
export function parseCursorReply(cursor: Buffer): CursorReply {
  let id: bigint | undefined;
  let start = -1;
  let end = -1;
  let at = 4;
  while (at < cursor.length - 1) {
    const type = cursor[at]!;
    const nameEnd = cursor.indexOf(0, at + 1);
    const name = cursor.toString("latin1", at + 1, nameEnd);
    const value = nameEnd + 1;
    if (type === 0x12 && name === "id") id = cursor.readBigInt64LE(value);
    if (type === 0x04 && (name === "firstBatch" || name === "nextBatch")) {
      start = value + 4;
      end = value + cursor.readInt32LE(value) - 1;
    }
    at = value + valueLength(cursor, type, value);
  }
  if (id === undefined || start < 0 || end > cursor.length) throw broken();
  return { id, start, end };
}

function valueLength(bytes: Buffer, type: number, at: number): number {
  switch (type) {
    case 0x12: // int64
    case 0x11: // timestamp
    case 0x09: // date
    case 0x01: // double
      return 8;
    case 0x10: // int32
      return 4;
    case 0x08: // boolean
      return 1;
    case 0x0a: // null
      return 0;
    case 0x07: // ObjectId
      return 12;
    case 0x02: // string
      return 4 + bytes.readInt32LE(at);
    case 0x05: // binary
      return 5 + bytes.readInt32LE(at);
    case 0x03: // document
    case 0x04: // array
      return bytes.readInt32LE(at);
    default:
      throw broken();
  }
}

/**
 * The batch's documents, one after another and without the array's names between them, in blocks of at most the size
 * of `block` (a document that is larger is a block of its own). A block is valid until the next is asked for.
 */
export function* documentBlocks(cursor: Buffer, reply: CursorReply, block: Buffer): Generator<Uint8Array, number> {
  let filled = 0;
  let documents = 0;
  let at = reply.start;
  while (at < reply.end) {
    if (cursor[at] !== 0x03) throw broken();
    at += 1;
    while (cursor[at] !== 0) at += 1;
    at += 1;
    const length = cursor.readInt32LE(at);
    if (length < 5 || at + length > reply.end) throw broken();
    if (filled + length > block.length && filled > 0) {
      yield block.subarray(0, filled);
      filled = 0;
    }
    if (length > block.length) yield cursor.subarray(at, at + length);
    else {
      cursor.copy(block, filled, at, at + length);
      filled += length;
    }
    documents += 1;
    at += length;
  }
  if (filled > 0) yield block.subarray(0, filled);
  return documents;
}
