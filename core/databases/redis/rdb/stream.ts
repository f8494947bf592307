import type { RecordWriter } from "../record-writer.ts";
import type { StreamConsumer, StreamGroup, StreamId, StreamState } from "../stream-state.ts";
import { bigLength, bytesOf, type Cursor, i64, length, malformed, string } from "./cursor.ts";
import { listpack } from "./packed.ts";
import type { Step } from "./values.ts";

/** RDB types of streams: of Redis 5, of 7.0, of 7.2. */
export const streamTypes = { listpacks: 15, listpacks2: 19, listpacks3: 21 } as const;

/** A stream: a node of entries at a time, then its state. */
export const streamSteps = (type: number, cursor: Cursor, writer: RecordWriter): Step => {
  let nodes = length(cursor);
  return () => {
    if (nodes > 0) {
      const key = string(cursor);
      const entries = string(cursor);
      nodes -= 1;
      for (const { id, pairs } of nodeEntries(key, entries)) writer.entry(id, pairs);
      return false;
    }
    writer.end(stateOf(type, cursor));
    return true;
  };
};

const deletedFlag = 1;
const sameFieldsFlag = 2;

/** A node's listpack: a master entry (counts, and the fields that entries share), then the entries. */
function* nodeEntries(key: Buffer, node: Buffer): Generator<{ id: StreamId; pairs: Buffer[] }, void> {
  if (key.length !== 16) throw malformed("a stream's node has no id");
  const masterMs = key.readBigUInt64BE(0);
  const masterSequence = key.readBigUInt64BE(8);
  const elements = listpack(node);
  const next = (): Buffer => {
    const { value } = elements.next();
    if (value === undefined) throw malformed("a stream's node is cut off");
    return value;
  };
  const integer = (): number => Number(next().toString("latin1"));
  const big = (): bigint => BigInt(next().toString("latin1"));
  let entries = integer() + integer();
  const fields = Array.from({ length: integer() }, next);
  next();
  for (; entries > 0; entries--) {
    const flags = integer();
    // Differences are of 64-bit unsigned numbers.
    const id = { ms: BigInt.asUintN(64, masterMs + big()), sequence: BigInt.asUintN(64, masterSequence + big()) };
    let pairs: Buffer[];
    if ((flags & sameFieldsFlag) !== 0) pairs = fields.flatMap((field) => [field, next()]);
    else pairs = Array.from({ length: integer() * 2 }, next);
    next();
    if ((flags & deletedFlag) === 0) yield { id, pairs };
  }
}

const stateOf = (type: number, cursor: Cursor): StreamState => {
  const id = (): StreamId => ({ ms: bigLength(cursor), sequence: bigLength(cursor) });
  const rawId = (): StreamId => {
    const bytes = bytesOf(cursor, 16);
    return { ms: bytes.readBigUInt64BE(0), sequence: bytes.readBigUInt64BE(8) };
  };
  const since70 = type >= streamTypes.listpacks2;
  const entries = bigLength(cursor);
  const lastId = id();
  if (since70) id(); // the first entry's, which the entries tell
  const maxDeleted = since70 ? id() : { ms: 0n, sequence: 0n };
  const added = since70 ? bigLength(cursor) : entries;
  const groups: StreamGroup[] = [];
  for (let left = length(cursor); left > 0; left--) {
    const name = Buffer.from(string(cursor));
    const groupLast = id();
    const entriesRead = since70 ? BigInt.asIntN(64, bigLength(cursor)) : -1n;
    const pending = new Map<string, { id: StreamId; deliveredAt: bigint; deliveries: bigint; consumer?: Buffer }>();
    for (let count = length(cursor); count > 0; count--) {
      const entry = rawId();
      pending.set(idText(entry), { id: entry, deliveredAt: i64(cursor), deliveries: bigLength(cursor) });
    }
    const consumers: StreamConsumer[] = [];
    for (let count = length(cursor); count > 0; count--) {
      const consumer = Buffer.from(string(cursor));
      const seenAt = i64(cursor);
      const activeAt = type >= streamTypes.listpacks3 ? i64(cursor) : seenAt;
      consumers.push({ name: consumer, seenAt, activeAt });
      for (let owned = length(cursor); owned > 0; owned--) {
        const entry = pending.get(idText(rawId()));
        if (entry === undefined) throw malformed("a consumer has a pending entry that its group has not");
        entry.consumer = consumer;
      }
    }
    const owned = [...pending.values()].map(({ consumer, ...entry }) => {
      if (consumer === undefined) throw malformed("a pending entry has no consumer");
      return { ...entry, consumer };
    });
    groups.push({ name, lastId: groupLast, entriesRead, pending: owned, consumers });
  }
  return { lastId, maxDeleted, added, groups };
};

const idText = ({ ms, sequence }: StreamId): string => `${ms}-${sequence}`;
