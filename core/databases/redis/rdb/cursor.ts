import { Failure } from "../../../domain/failure.ts";
import { decompressLzf } from "./lzf.ts";

/**
 * Bytes of an RDB, of which more may be on their way. Reading past what is there throws `underflow`; whoever reads puts
 * `at` back to where the thing began, and tries again once there is more.
 */
export interface Cursor {
  buffer: Buffer;
  at: number;
  end: number;
  /** How many bytes from `at` the last underflow asked for. */
  wanted: number;
}

export const underflow = Symbol("underflow");

export const cursorOver = (bytes: Buffer): Cursor => ({ buffer: bytes, at: 0, end: bytes.length, wanted: 0 });

export const malformed = (what: string): Failure => new Failure("EngineUnsupported", `the server's RDB cannot be read: ${what}`);

/** The position of the next `count` bytes, which are passed over. */
export const pass = (cursor: Cursor, count: number): number => {
  const { at } = cursor;
  if (at + count > cursor.end) {
    cursor.wanted = count;
    throw underflow;
  }
  cursor.at = at + count;
  return at;
};

export const byte = (cursor: Cursor): number => cursor.buffer[pass(cursor, 1)]!;
/** A view, valid until more is read. */
export const bytesOf = (cursor: Cursor, count: number): Buffer => cursor.buffer.subarray(pass(cursor, count), cursor.at);
export const i64 = (cursor: Cursor): bigint => cursor.buffer.readBigInt64LE(pass(cursor, 8));
export const f64 = (cursor: Cursor): number => cursor.buffer.readDoubleLE(pass(cursor, 8));

/** The two bits of a length's first byte that say that a string in a special encoding follows. */
const special = 3;

/** A length of up to 64 bits. */
export const bigLength = (cursor: Cursor): bigint => {
  const first = byte(cursor);
  switch (first >> 6) {
    case 0:
      return BigInt(first);
    case 1:
      return BigInt(((first & 0x3f) << 8) | byte(cursor));
    case 2:
      if (first === 0x80) return BigInt(cursor.buffer.readUInt32BE(pass(cursor, 4)));
      if (first === 0x81) return cursor.buffer.readBigUInt64BE(pass(cursor, 8));
      throw malformed(`a length begins with ${first}`);
    default:
      throw malformed("a special string where a length should be");
  }
};

export const length = (cursor: Cursor): number => {
  const value = bigLength(cursor);
  if (value > Number.MAX_SAFE_INTEGER) throw malformed(`a length of ${value}`);
  return Number(value);
};

/** What announces a string: its plain length, or that it is compressed; small integers come whole. */
export type StringHead =
  | { readonly kind: "plain"; readonly length: number }
  | { readonly kind: "compressed"; readonly compressed: number; readonly length: number }
  | { readonly kind: "integer"; readonly text: Buffer };

export const stringHead = (cursor: Cursor): StringHead => {
  const at = pass(cursor, 1);
  const first = cursor.buffer[at]!;
  if (first >> 6 !== special) {
    cursor.at = at;
    return { kind: "plain", length: length(cursor) };
  }
  const integer = (value: number): StringHead => ({ kind: "integer", text: Buffer.from(String(value), "latin1") });
  switch (first & 0x3f) {
    case 0:
      return integer(cursor.buffer.readInt8(pass(cursor, 1)));
    case 1:
      return integer(cursor.buffer.readInt16LE(pass(cursor, 2)));
    case 2:
      return integer(cursor.buffer.readInt32LE(pass(cursor, 4)));
    case 3: {
      const compressed = length(cursor);
      return { kind: "compressed", compressed, length: length(cursor) };
    }
    default:
      throw malformed(`a string in encoding ${first & 0x3f}`);
  }
};

/** A string's bytes: a view, valid until more is read, unless it was compressed. */
export const string = (cursor: Cursor): Buffer => {
  const head = stringHead(cursor);
  if (head.kind === "integer") return head.text;
  if (head.kind === "plain") return bytesOf(cursor, head.length);
  return decompressLzf(bytesOf(cursor, head.compressed), head.length);
};

/** A string of which nothing is wanted. */
export const passString = (cursor: Cursor): void => {
  const head = stringHead(cursor);
  if (head.kind !== "integer") pass(cursor, head.kind === "plain" ? head.length : head.compressed);
};
