import { type ByteBuffer, createByteBuffer, putI64, putString, putU32, putU64 } from "./byte-buffer.ts";
import { readBody } from "./record-reader.ts";

/** An entry's id. */
export interface StreamId {
  readonly ms: bigint;
  readonly sequence: bigint;
}

/** A stream without its entries. */
export interface StreamState {
  readonly lastId: StreamId;
  /** Servers from 7.0 on. */
  readonly maxDeleted: StreamId;
  readonly added: bigint;
  readonly groups: readonly StreamGroup[];
}

export interface StreamGroup {
  readonly name: Uint8Array;
  readonly lastId: StreamId;
  /** -1 when the server does not know; servers from 7.0 on. */
  readonly entriesRead: bigint;
  readonly pending: readonly PendingEntry[];
  readonly consumers: readonly StreamConsumer[];
}

export interface PendingEntry {
  readonly id: StreamId;
  readonly consumer: Uint8Array;
  /** Milliseconds since 1970. */
  readonly deliveredAt: bigint;
  readonly deliveries: bigint;
}

export interface StreamConsumer {
  readonly name: Uint8Array;
  /** Milliseconds since 1970. */
  readonly seenAt: bigint;
  /** -1 when it never was; servers from 7.2 on. */
  readonly activeAt: bigint;
}

/**
 * What a server knows of a stream: 1 up to Redis 6, 2 (entries added, read, and the greatest id deleted) from 7.0, 3
 * (when consumers were last active) from 7.2. A newer server makes up what an older one did not tell, so a copy is compared by what
 * the source knew.
 */
export type StreamDetail = 1 | 2 | 3;

/** The state's canonical bytes: groups and consumers in the order of their names, pending entries in that of their ids. */
export const writeStreamState = (state: StreamState, detail: StreamDetail): Uint8Array => {
  const out = createByteBuffer(256);
  putU32(out, detail);
  putId(out, state.lastId);
  if (detail >= 2) {
    putId(out, state.maxDeleted);
    putU64(out, state.added);
  }
  putU32(out, state.groups.length);
  for (const group of [...state.groups].sort(byName)) {
    putString(out, group.name);
    putId(out, group.lastId);
    if (detail >= 2) putI64(out, group.entriesRead);
    putU32(out, group.consumers.length);
    for (const consumer of [...group.consumers].sort(byName)) {
      putString(out, consumer.name);
      putI64(out, consumer.seenAt);
      if (detail >= 3) putI64(out, consumer.activeAt);
    }
    putU32(out, group.pending.length);
    for (const entry of [...group.pending].sort(byId)) {
      putId(out, entry.id);
      putString(out, entry.consumer);
      putI64(out, entry.deliveredAt);
      putU64(out, entry.deliveries);
    }
  }
  return out.bytes.subarray(0, out.length);
};

export const readStreamState = (bytes: Buffer): StreamState & { readonly detail: StreamDetail } => {
  const { u32, u64, i64, id, string } = readBody(bytes);
  const times = <T>(make: () => T): T[] => Array.from({ length: u32() }, make);
  const detail = u32() as StreamDetail;
  const lastId = id();
  const maxDeleted = detail >= 2 ? id() : { ms: 0n, sequence: 0n };
  const added = detail >= 2 ? u64() : 0n;
  const groups = times(() => ({
    name: string(),
    lastId: id(),
    entriesRead: detail >= 2 ? i64() : -1n,
    consumers: times(() => {
      const name = string();
      const seenAt = i64();
      return { name, seenAt, activeAt: detail >= 3 ? i64() : seenAt };
    }),
    pending: times(() => ({ id: id(), consumer: string(), deliveredAt: i64(), deliveries: u64() })),
  }));
  return { detail, lastId, maxDeleted, added, groups };
};

const putId = (out: ByteBuffer, { ms, sequence }: StreamId): void => {
  putU64(out, ms);
  putU64(out, sequence);
};

const byName = (a: { readonly name: Uint8Array }, b: { readonly name: Uint8Array }): number => Buffer.compare(a.name, b.name);
const byId = ({ id: a }: PendingEntry, { id: b }: PendingEntry): number =>
  a.ms !== b.ms ? (a.ms < b.ms ? -1 : 1) : a.sequence < b.sequence ? -1 : a.sequence > b.sequence ? 1 : 0;
