import { malformed } from "./cursor.ts";

const text = (value: number | bigint): Buffer => Buffer.from(String(value), "latin1");
const broken = (what: string) => malformed(`a ${what} is damaged`);

/** The elements of a listpack, integers as their decimal digits. Views of it. */
export function* listpack(bytes: Buffer): Generator<Buffer, void> {
  let at = 6;
  for (;;) {
    const first = bytes[at];
    if (first === undefined) throw broken("listpack");
    if (first === 0xff) return;
    const start = at;
    let element: Buffer;
    if (first < 0x80) {
      element = text(first);
      at += 1;
    } else if (first < 0xc0) {
      at += 1 + (first & 0x3f);
      element = bytes.subarray(start + 1, at);
    } else if (first < 0xe0) {
      const value = ((first & 0x1f) << 8) | bytes[at + 1]!;
      element = text(value >= 1 << 12 ? value - (1 << 13) : value);
      at += 2;
    } else if (first < 0xf0) {
      at += 2 + (((first & 0x0f) << 8) | bytes[at + 1]!);
      element = bytes.subarray(start + 2, at);
    } else if (first === 0xf0) {
      at += 5 + bytes.readUInt32LE(at + 1);
      element = bytes.subarray(start + 5, at);
    } else {
      const size = { 241: 2, 242: 3, 243: 4 }[first];
      if (size !== undefined) element = text(bytes.readIntLE(at + 1, size));
      else if (first === 0xf4) element = text(bytes.readBigInt64LE(at + 1));
      else throw broken("listpack");
      at += 1 + (size ?? 8);
    }
    if (at >= bytes.length) throw broken("listpack");
    yield element;
    at += backLengthBytes(at - start);
  }
}

/** Each element ends with its own length, in groups of seven bits. */
export const backLengthBytes = (length: number): number =>
  length < 128 ? 1 : length < 16384 ? 2 : length < 2097152 ? 3 : length < 268435456 ? 4 : 5;

/** The elements of a ziplist, as Redis 6 has them. */
export function* ziplist(bytes: Buffer): Generator<Buffer, void> {
  let at = 10;
  for (;;) {
    const previous = bytes[at];
    if (previous === undefined) throw broken("ziplist");
    if (previous === 0xff) return;
    at += previous === 0xfe ? 5 : 1;
    const first = bytes[at];
    if (first === undefined) throw broken("ziplist");
    const sized = (header: number, size: number): Buffer => {
      const start = at + header;
      at = start + size;
      if (at >= bytes.length) throw broken("ziplist");
      return bytes.subarray(start, at);
    };
    if (first < 0x40) yield sized(1, first);
    else if (first < 0x80) yield sized(2, ((first & 0x3f) << 8) | bytes[at + 1]!);
    else if (first === 0x80) yield sized(5, bytes.readUInt32BE(at + 1));
    else if (first === 0xc0) yield text(sized(1, 2).readInt16LE(0));
    else if (first === 0xd0) yield text(sized(1, 4).readInt32LE(0));
    else if (first === 0xe0) yield text(sized(1, 8).readBigInt64LE(0));
    else if (first === 0xf0) yield text(sized(1, 3).readIntLE(0, 3));
    else if (first === 0xfe) yield text(sized(1, 1).readInt8(0));
    else if (first >= 0xf1 && first <= 0xfd) {
      sized(1, 0);
      yield text((first & 0x0f) - 1);
    } else throw broken("ziplist");
  }
}

/** The members of an intset. */
export function* intset(bytes: Buffer): Generator<Buffer, void> {
  const size = bytes.readUInt32LE(0);
  const count = bytes.readUInt32LE(4);
  if ((size !== 2 && size !== 4 && size !== 8) || bytes.length !== 8 + size * count) throw broken("set of integers");
  for (let n = 0, at = 8; n < count; n++, at += size) yield text(size === 8 ? bytes.readBigInt64LE(at) : bytes.readIntLE(at, size));
}
