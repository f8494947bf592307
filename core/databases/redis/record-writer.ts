import { createByteBuffer, putBytes, putF64, putI64, putString, putU32, putU64, reserve } from "./byte-buffer.ts";
import { forever, forms, headBytes, type KeyHead, keyTypes, pieceBytes, wholeBytes } from "./record.ts";
import { type StreamDetail, type StreamId, type StreamState, writeStreamState } from "./stream-state.ts";

/**
 * Makes records of keys that come element by element. Bytes given are copied at once. No key is held beyond `wholeBytes`:
 * a larger one leaves in pieces.
 */
export interface RecordWriter {
  begin(head: KeyHead): void;
  /** A string's content in one; or its length, followed by `more` of so many bytes. */
  string(content: Uint8Array): void;
  openString(length: number): void;
  more(content: Uint8Array): void;
  element(element: Uint8Array): void;
  member(member: Uint8Array): void;
  scored(member: Uint8Array, score: number): void;
  field(field: Uint8Array, value: Uint8Array, expiry: bigint): void;
  entry(id: StreamId, pairs: readonly Uint8Array[]): void;
  module(name: string, value: Uint8Array): void;
  /** Of every type but strings and modules. A key without elements (but a stream) is none: nothing is written. */
  end(state?: StreamState): void;
  /** Bytes of finished records that wait. */
  size(): number;
  /** They, valid until the next call of anything here. */
  take(): Uint8Array;
}

/** Fields of hashes that expired before `now` (ms since 1970) are passed over: a server may still have them, and shows them to nobody. */
export const createRecordWriter = (detail: StreamDetail, now = 0n): RecordWriter => {
  const out = createByteBuffer(512 << 10);
  /** The elements of the key at hand, one after another. */
  const held = createByteBuffer(256 << 10);
  /** Where each begins: with the bytes that it sorts by, behind their u32 length. */
  let starts: number[] = [];
  let head: KeyHead | undefined;
  let key = Buffer.alloc(0);
  let count = 0n;
  let split = false;

  const current = (): KeyHead => {
    if (head === undefined) throw new Error("no key has begun");
    return head;
  };
  const putHead = (form: number, bodyBytes: number, expiry: bigint): void => {
    const { type, database } = current();
    const at = reserve(out, headBytes);
    out.bytes.writeInt32LE(headBytes + key.length + bodyBytes, at);
    out.bytes[at + 4] = form;
    out.bytes[at + 5] = keyTypes.indexOf(type);
    out.bytes.writeUInt16LE(database, at + 6);
    out.bytes.writeBigInt64LE(expiry, at + 8);
    out.bytes.writeUInt32LE(key.length, at + 16);
    putBytes(out, key);
  };
  const ordered = (): boolean => current().type === "list" || current().type === "stream";

  const added = (start: number): void => {
    starts.push(start);
    count += 1n;
    if (held.length > (split ? (ordered() ? pieceBytes : 0) : wholeBytes)) flushPieces();
  };
  /** Everything held leaves in pieces whose limits do not depend on when that happens. */
  const flushPieces = (): void => {
    split = true;
    if (!ordered()) {
      starts.forEach((start, n) => {
        putPiece(start, starts[n + 1] ?? held.length, undefined);
      });
      clear();
      return;
    }
    let first = 0;
    starts.forEach((_, n) => {
      const end = starts[n + 1] ?? held.length;
      if (end - starts[first]! < pieceBytes) return;
      putPiece(starts[first]!, end, count - BigInt(starts.length - first));
      first = n + 1;
    });
    const rest = starts[first];
    if (rest === undefined) {
      clear();
      return;
    }
    held.bytes.copyWithin(0, rest, held.length);
    held.length -= rest;
    starts = starts.slice(first).map((start) => start - rest);
  };
  const putPiece = (start: number, end: number, index: bigint | undefined): void => {
    putHead(forms.piece, end - start + (index === undefined ? 0 : 8), forever);
    if (index !== undefined) putU64(out, index);
    putBytes(out, held.bytes.subarray(start, end));
  };
  const clear = (): void => {
    starts = [];
    held.length = 0;
  };
  const putSorted = (): void => {
    const { bytes } = held;
    const ranges = starts.map((start, n) => ({ start, end: starts[n + 1] ?? held.length }));
    const sortBytes = (start: number): Buffer => bytes.subarray(start + 4, start + 4 + bytes.readUInt32LE(start));
    if (!ordered()) ranges.sort((a, b) => Buffer.compare(sortBytes(a.start), sortBytes(b.start)));
    for (const { start, end } of ranges) putBytes(out, bytes.subarray(start, end));
  };

  return {
    begin: (next) => {
      head = next;
      key = Buffer.from(next.key);
      count = 0n;
      split = false;
      clear();
    },
    string: (content) => {
      putHead(forms.whole, content.length, current().expiry);
      putBytes(out, content);
    },
    openString: (length) => putHead(forms.whole, length, current().expiry),
    more: (content) => putBytes(out, content),
    element: (element) => {
      const start = held.length;
      putString(held, element);
      added(start);
    },
    member: (member) => {
      const start = held.length;
      putString(held, member);
      added(start);
    },
    scored: (member, score) => {
      const start = held.length;
      putString(held, member);
      // Newer servers keep a score of -0 as 0.
      putF64(held, score + 0);
      added(start);
    },
    field: (field, value, expiry) => {
      if (expiry !== forever && expiry < now) return;
      const start = held.length;
      putString(held, field);
      putString(held, value);
      putI64(held, expiry);
      added(start);
    },
    entry: ({ ms, sequence }, pairs) => {
      const start = held.length;
      putU64(held, ms);
      putU64(held, sequence);
      putU32(held, pairs.length / 2);
      for (const bytes of pairs) putString(held, bytes);
      added(start);
    },
    module: (name, value) => {
      const label = Buffer.from(name, "latin1");
      putHead(forms.whole, 4 + label.length + value.length, current().expiry);
      putString(out, label);
      putBytes(out, value);
    },
    end: (state) => {
      const { expiry } = current();
      if (count === 0n && state === undefined) return;
      const stateBytes = state === undefined ? undefined : writeStreamState(state, detail);
      if (split) {
        if (starts.length > 0) putPiece(0, held.length, ordered() ? count - BigInt(starts.length) : undefined);
        putHead(forms.closing, 8 + (stateBytes?.length ?? 0), expiry);
        putU64(out, count);
        if (stateBytes !== undefined) putBytes(out, stateBytes);
      } else {
        putHead(forms.whole, held.length + (stateBytes === undefined ? 0 : 4 + stateBytes.length), expiry);
        if (stateBytes !== undefined) putString(out, stateBytes);
        putSorted();
      }
      clear();
    },
    size: () => out.length,
    take: () => {
      const taken = out.bytes.subarray(0, out.length);
      out.length = 0;
      return taken;
    },
  };
};
