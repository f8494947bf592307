import { Failure } from "../../domain/failure.ts";
import { forms, headBytes, type KeyHead, type KeyType, keyTypes } from "./record.ts";
import type { StreamId } from "./stream-state.ts";

/** A record as it lies in a stream. Views, valid until the next one is asked for. */
export interface KeyRecord extends KeyHead {
  readonly key: Buffer;
  readonly form: "whole" | "piece" | "closing";
  readonly body: Buffer;
  /** All of it. */
  readonly bytes: Buffer;
}

const formNames = Object.keys(forms) as (keyof typeof forms)[];

/** The records in blocks of any size. */
export async function* readRecords(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<KeyRecord, void> {
  let held: Buffer = Buffer.alloc(0);
  /** Blocks that belong to a record larger than they are. */
  let more: Buffer[] = [];
  let missing = 0;
  for await (const block of blocks) {
    if (missing > 0) {
      more.push(Buffer.from(block));
      missing -= block.length;
      if (missing > 0) continue;
      held = Buffer.concat([held, ...more]);
      more = [];
    } else held = held.length === 0 ? Buffer.from(block) : Buffer.concat([held, block]);
    let at = 0;
    while (held.length - at >= headBytes) {
      const length = held.readInt32LE(at);
      if (held.length - at < length) {
        missing = length - (held.length - at);
        break;
      }
      yield recordOf(held.subarray(at, at + length));
      at += length;
    }
    held = held.subarray(at);
  }
  if (held.length > 0 || more.length > 0) throw broken();
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
