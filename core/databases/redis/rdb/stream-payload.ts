import { type ByteBuffer, createByteBuffer, putBytes, putI64, reserve } from "../byte-buffer.ts";
import type { StreamDetail, StreamId, StreamState } from "../stream-state.ts";
import { backLengthBytes } from "./packed.ts";
import { restorePayload } from "./payload.ts";
import { streamTypes } from "./stream.ts";

/** A stream's entries on their way into nodes, as the RDB has them. */
export interface StreamNodes {
  add(id: StreamId, pairs: readonly Buffer[]): void;
  bytes(): number;
  /** The payload for RESTORE, in the type that servers of that detail know. */
  payload(state: StreamState, detail: StreamDetail): Buffer;
}

/** As a server itself cuts nodes by default, roughly. */
const mostEntries = 100;
const mostNodeBytes = 4096;

export const createStreamNodes = (): StreamNodes => {
  const out = createByteBuffer(16 << 10);
  let nodes = 0;
  let entries = 0n;
  let first: StreamId | undefined;
  let open: { id: StreamId; entries: { id: StreamId; pairs: readonly Buffer[] }[]; bytes: number } | undefined;
  const closeNode = (): void => {
    if (open === undefined) return;
    putRdbString(out, rawId(open.id));
    putRdbString(out, nodeOf(open.id, open.entries));
    nodes += 1;
    open = undefined;
  };
  return {
    add: (id, pairs) => {
      const bytes = pairs.reduce((sum, part) => sum + part.length + 4, 24);
      if (open !== undefined && (open.entries.length >= mostEntries || open.bytes + bytes > mostNodeBytes)) closeNode();
      open ??= { id, entries: [], bytes: 0 };
      open.entries.push({ id, pairs: pairs.map((part) => Buffer.from(part)) });
      open.bytes += bytes;
      entries += 1n;
      first ??= id;
    },
    bytes: () => out.length,
    payload: (state, detail) => {
      closeNode();
      const count = createByteBuffer(16);
      putLength(count, BigInt(nodes));
      const tail = createByteBuffer(1024);
      putState(tail, state, detail, entries, first ?? { ms: 0n, sequence: 0n });
      const type = { 1: streamTypes.listpacks, 2: streamTypes.listpacks2, 3: streamTypes.listpacks3 }[detail];
      const version = { 1: 9, 2: 10, 3: 11 }[detail];
      return restorePayload(type, [taken(count), taken(out), taken(tail)], version);
    },
  };
};

const taken = ({ bytes, length }: ByteBuffer): Buffer => bytes.subarray(0, length);

const putState = (out: ByteBuffer, state: StreamState, detail: StreamDetail, entries: bigint, first: StreamId): void => {
  const putId = ({ ms, sequence }: StreamId): void => {
    putLength(out, ms);
    putLength(out, sequence);
  };
  putLength(out, entries);
  putId(state.lastId);
  if (detail >= 2) {
    putId(first);
    putId(state.maxDeleted);
    putLength(out, state.added);
  }
  putLength(out, BigInt(state.groups.length));
  for (const group of state.groups) {
    putRdbString(out, group.name);
    putId(group.lastId);
    if (detail >= 2) putLength(out, BigInt.asUintN(64, group.entriesRead));
    putLength(out, BigInt(group.pending.length));
    for (const { id, deliveredAt, deliveries } of group.pending) {
      putBytes(out, rawId(id));
      putI64(out, deliveredAt);
      putLength(out, deliveries);
    }
    putLength(out, BigInt(group.consumers.length));
    for (const consumer of group.consumers) {
      putRdbString(out, consumer.name);
      putI64(out, consumer.seenAt);
      if (detail >= 3) putI64(out, consumer.activeAt);
      const owned = group.pending.filter((entry) => Buffer.compare(entry.consumer, consumer.name) === 0);
      putLength(out, BigInt(owned.length));
      for (const { id } of owned) putBytes(out, rawId(id));
    }
  }
};

const rawId = ({ ms, sequence }: StreamId): Buffer => {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64BE(ms, 0);
  bytes.writeBigUInt64BE(sequence, 8);
  return bytes;
};

const putLength = (out: ByteBuffer, value: bigint): void => {
  if (value < 64n) putBytes(out, Buffer.of(Number(value)));
  else if (value < 16384n) putBytes(out, Buffer.of(0x40 | (Number(value) >> 8), Number(value) & 0xff));
  else if (value < 1n << 32n) {
    const at = reserve(out, 5);
    out.bytes[at] = 0x80;
    out.bytes.writeUInt32BE(Number(value), at + 1);
  } else {
    const at = reserve(out, 9);
    out.bytes[at] = 0x81;
    out.bytes.writeBigUInt64BE(value, at + 1);
  }
};

const putRdbString = (out: ByteBuffer, bytes: Uint8Array): void => {
  putLength(out, BigInt(bytes.length));
  putBytes(out, bytes);
};

const sameFieldsFlag = 2n;

/** A node as Redis writes it: a master entry with the first entry's fields, then the entries by their difference to it. */
const nodeOf = (master: StreamId, entries: readonly { readonly id: StreamId; readonly pairs: readonly Buffer[] }[]): Buffer => {
  const out = createByteBuffer(mostNodeBytes * 2);
  reserve(out, 6);
  let count = 0;
  const put = (element: bigint | Buffer): void => {
    const start = out.length;
    if (typeof element === "bigint") putInteger(out, element);
    else putText(out, element);
    putBackLength(out, out.length - start);
    count += 1;
  };
  const fields = entries[0]!.pairs.filter((_, n) => n % 2 === 0);
  put(BigInt(entries.length));
  put(0n);
  put(BigInt(fields.length));
  for (const field of fields) put(field);
  put(0n);
  for (const { id, pairs } of entries) {
    const same = pairs.length === fields.length * 2 && fields.every((field, n) => field.equals(pairs[n * 2]!));
    put(same ? sameFieldsFlag : 0n);
    put(BigInt.asIntN(64, id.ms - master.ms));
    put(BigInt.asIntN(64, id.sequence - master.sequence));
    if (same) for (let n = 1; n < pairs.length; n += 2) put(pairs[n]!);
    else {
      put(BigInt(pairs.length / 2));
      for (const part of pairs) put(part);
    }
    put(BigInt(pairs.length / 2 + 3 + (same ? 0 : pairs.length / 2 + 1)));
  }
  putBytes(out, Buffer.of(0xff));
  out.bytes.writeUInt32LE(out.length, 0);
  out.bytes.writeUInt16LE(Math.min(count, 0xffff), 4);
  return taken(out);
};

const putInteger = (out: ByteBuffer, value: bigint): void => {
  if (value >= 0n && value < 128n) {
    putBytes(out, Buffer.of(Number(value)));
    return;
  }
  const sizes = [
    [0xf1, 2],
    [0xf2, 3],
    [0xf3, 4],
  ] as const;
  for (const [code, size] of sizes) {
    const limit = 1n << BigInt(size * 8 - 1);
    if (value < -limit || value >= limit) continue;
    const at = reserve(out, 1 + size);
    out.bytes[at] = code;
    out.bytes.writeIntLE(Number(value), at + 1, size);
    return;
  }
  const at = reserve(out, 9);
  out.bytes[at] = 0xf4;
  out.bytes.writeBigInt64LE(value, at + 1);
};

const putText = (out: ByteBuffer, text: Buffer): void => {
  if (text.length < 64) putBytes(out, Buffer.of(0x80 | text.length));
  else if (text.length < 4096) putBytes(out, Buffer.of(0xe0 | (text.length >> 8), text.length & 0xff));
  else {
    const at = reserve(out, 5);
    out.bytes[at] = 0xf0;
    out.bytes.writeUInt32LE(text.length, at + 1);
  }
  putBytes(out, text);
};

/** The element's length once more, to be read from behind: groups of seven bits, the highest first, all but the first marked. */
const putBackLength = (out: ByteBuffer, length: number): void => {
  const size = backLengthBytes(length);
  const at = reserve(out, size);
  for (let n = 0; n < size; n++) {
    const group = Math.floor(length / 2 ** (7 * (size - 1 - n))) & 0x7f;
    out.bytes[at + n] = n === 0 ? group : group | 0x80;
  }
};
