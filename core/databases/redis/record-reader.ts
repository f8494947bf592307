import { Failure } from "../../domain/failure.ts";
import { forms, headBytes, type KeyHead, type KeyType, keyTypes } from "./record.ts";
import type { StreamId } from "./stream-state.ts";

/** A record as it lies in a stream. Views, valid until the next one is asked for. */
export interface KeyRecord extends KeyHead {
  readonly key: Buffer;
  readonly form: "whole" | "piece" | "closing";
  readonly body: Buffer;
  /** All of it; without its body when that comes in parts. */
  readonly bytes: Buffer;
  /** The body is a part of a large string: where it begins, and how long all of it is. */
  readonly part?: { readonly offset: number; readonly total: number };
}

const formNames = Object.keys(forms) as (keyof typeof forms)[];

/** A string beyond this comes in parts of it, so that it is never held whole. */
const largeBytes = 8 << 20;

/** The records in blocks of any size. */
export async function* readRecords(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<KeyRecord, void> {
  let held: Buffer = Buffer.alloc(0);
  /** Blocks that belong to a record, or the head of one, that is larger than they are. */
  let more: Buffer[] = [];
  let missing = 0;
  let large: LargeString | undefined;
  for await (const block of blocks) {
    let rest: Buffer = Buffer.from(block);
    if (large !== undefined) {
      rest = takeInto(large, rest);
      yield* partsOf(large);
      if (large.taken < large.total) continue;
      large = undefined;
    }
    if (missing > 0) {
      more.push(rest);
      missing -= rest.length;
      if (missing > 0) continue;
      held = Buffer.concat([held, ...more]);
      more = [];
    } else held = held.length === 0 ? rest : Buffer.concat([held, rest]);
    let at = 0;
    while (held.length - at >= headBytes) {
      const length = held.readInt32LE(at);
      const there = held.length - at;
      if (there >= length) {
        yield recordOf(held.subarray(at, at + length));
        at += length;
        continue;
      }
      const keyEnd = headBytes + held.readUInt32LE(at + headBytes - 4);
      const asLarge = length - keyEnd > largeBytes && keyTypes[held[at + 5]!] === "string";
      if (asLarge && there >= keyEnd) {
        large = { head: recordOf(held.subarray(at, at + keyEnd)), total: length - keyEnd, taken: 0, given: 0, waiting: [] };
        takeInto(large, held.subarray(at + keyEnd));
        at = held.length;
      } else missing = (asLarge ? keyEnd : length) - there;
      break;
    }
    held = held.subarray(at);
  }
  if (held.length > 0 || more.length > 0 || large !== undefined) throw broken();
}

interface LargeString {
  readonly head: KeyRecord;
  readonly total: number;
  /** Bytes that came, and bytes that were passed on. */
  taken: number;
  given: number;
  waiting: Buffer[];
}

/** Takes what belongs to the string, and returns the rest. */
const takeInto = (large: LargeString, bytes: Buffer): Buffer => {
  const own = bytes.subarray(0, large.total - large.taken);
  if (own.length > 0) large.waiting.push(own);
  large.taken += own.length;
  return bytes.subarray(own.length);
};

function* partsOf(large: LargeString): Generator<KeyRecord, void> {
  if (large.taken - large.given < largeBytes && large.taken < large.total) return;
  const body = Buffer.concat(large.waiting);
  large.waiting = [];
  yield { ...large.head, body, part: { offset: large.given, total: large.total } };
  large.given += body.length;
}

export const recordOf = (bytes: Buffer): KeyRecord => {
  const keyEnd = headBytes + bytes.readUInt32LE(16);
  const form = formNames[bytes[4]!];
  const type: KeyType | undefined = keyTypes[bytes[5]!];
  if (form === undefined || type === undefined || keyEnd > bytes.length) throw broken();
  return {
    form,
    type,
    database: bytes.readUInt16LE(6),
    expiry: bytes.readBigInt64LE(8),
    key: bytes.subarray(headBytes, keyEnd),
    body: bytes.subarray(keyEnd),
    bytes,
  };
};

const broken = (): Failure => new Failure("FormatUnsupported", "a record of a Redis key is not one that this dbgov knows");

/** Strings with their lengths before them, and what stands between. */
export interface BodyReader {
  left(): number;
  string(): Buffer;
  u32(): number;
  u64(): bigint;
  i64(): bigint;
  f64(): number;
  id(): StreamId;
}

export const readBody = (body: Buffer): BodyReader => {
  let at = 0;
  const pass = (count: number): number => {
    at += count;
    if (at > body.length) throw broken();
    return at - count;
  };
  const u32 = (): number => body.readUInt32LE(pass(4));
  const u64 = (): bigint => body.readBigUInt64LE(pass(8));
  return {
    left: () => body.length - at,
    string: () => {
      const length = u32();
      const start = pass(length);
      return body.subarray(start, at);
    },
    u32,
    u64,
    i64: () => body.readBigInt64LE(pass(8)),
    f64: () => body.readDoubleLE(pass(8)),
    id: () => ({ ms: u64(), sequence: u64() }),
  };
};

/** The records of a block that holds whole ones. */
export function* recordsIn(block: Uint8Array): Generator<KeyRecord, void> {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.length);
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readInt32LE(at);
    yield recordOf(bytes.subarray(at, at + length));
    at += length;
  }
}
