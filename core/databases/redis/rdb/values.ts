import { forever, type KeyType, wholeBytes } from "../record.ts";
import type { RecordWriter } from "../record-writer.ts";
import { byte, bytesOf, type Cursor, f64, i64, length, malformed, string, stringHead, underflow } from "./cursor.ts";
import { createLzfStream } from "./lzf.ts";
import { moduleValue } from "./module.ts";
import { intset, listpack, ziplist } from "./packed.ts";
import { streamSteps } from "./stream.ts";

/** Reads some more of a value into the writer; true once it is whole. What throws `underflow` has changed nothing, and is called again. */
export type Step = () => boolean;

interface ValueType {
  readonly type: KeyType;
  readonly steps: (cursor: Cursor, writer: RecordWriter) => Step;
}

/** The RDB's types of values, by their numbers in Redis's rdb.h. */
const types: Readonly<Record<number, ValueType>> = {
  0: { type: "string", steps: (cursor, writer) => stringSteps(cursor, writer) },
  1: { type: "list", steps: (cursor, writer) => each(cursor, writer, () => writer.element(string(cursor))) },
  2: { type: "set", steps: (cursor, writer) => each(cursor, writer, () => writer.member(string(cursor))) },
  3: { type: "zset", steps: (cursor, writer) => each(cursor, writer, () => scored(writer, string(cursor), () => textScore(cursor))) },
  4: { type: "hash", steps: (cursor, writer) => each(cursor, writer, () => writer.field(...twoStrings(cursor), forever)) },
  5: { type: "zset", steps: (cursor, writer) => each(cursor, writer, () => scored(writer, string(cursor), () => f64(cursor))) },
  7: { type: "module", steps: (cursor, writer) => once(() => moduleValue(cursor, writer)) },
  10: { type: "list", steps: (cursor, writer) => packed(writer, () => elements(writer, ziplist(string(cursor)))) },
  11: { type: "set", steps: (cursor, writer) => packed(writer, () => members(writer, intset(string(cursor)))) },
  12: { type: "zset", steps: (cursor, writer) => packed(writer, () => scores(writer, ziplist(string(cursor)))) },
  13: { type: "hash", steps: (cursor, writer) => packed(writer, () => fields(writer, ziplist(string(cursor)))) },
  14: { type: "list", steps: (cursor, writer) => each(cursor, writer, () => elements(writer, ziplist(string(cursor)))) },
  15: { type: "stream", steps: (cursor, writer) => streamSteps(15, cursor, writer) },
  16: { type: "hash", steps: (cursor, writer) => packed(writer, () => fields(writer, listpack(string(cursor)))) },
  17: { type: "zset", steps: (cursor, writer) => packed(writer, () => scores(writer, listpack(string(cursor)))) },
  18: { type: "list", steps: (cursor, writer) => each(cursor, writer, () => quicklistNode(cursor, writer)) },
  19: { type: "stream", steps: (cursor, writer) => streamSteps(19, cursor, writer) },
  20: { type: "set", steps: (cursor, writer) => packed(writer, () => members(writer, listpack(string(cursor)))) },
  21: { type: "stream", steps: (cursor, writer) => streamSteps(21, cursor, writer) },
  22: { type: "hash", steps: (cursor, writer) => each(cursor, writer, () => writer.field(...twoStrings(cursor), i64(cursor))) },
  24: { type: "hash", steps: (cursor, writer) => expiringHash(cursor, writer) },
  25: { type: "hash", steps: (cursor, writer) => packed(writer, () => expiringListpack(cursor, writer)) },
};

export const isValueType = (rdbType: number): boolean => types[rdbType] !== undefined;

export const keyTypeOf = (rdbType: number): KeyType => {
  const found = types[rdbType];
  if (found === undefined) throw malformed(`it holds values of type ${rdbType}, which this dbgov does not know`);
  return found.type;
};

/** How a value is read, `begin` of the writer having been called. May throw `underflow`. */
export const valueSteps = (rdbType: number, cursor: Cursor, writer: RecordWriter): Step => {
  keyTypeOf(rdbType);
  return types[rdbType]!.steps(cursor, writer);
};

/** A count, then so many things of which one is read at a time. */
const each = (cursor: Cursor, writer: RecordWriter, one: () => void): Step => {
  let left = length(cursor);
  return () => {
    if (left > 0) {
      one();
      left -= 1;
      return false;
    }
    writer.end();
    return true;
  };
};

const once = (all: () => void): Step => {
  return () => {
    all();
    return true;
  };
};

const packed = (writer: RecordWriter, all: () => void): Step =>
  once(() => {
    all();
    writer.end();
  });

const stringSteps = (cursor: Cursor, writer: RecordWriter): Step => {
  const mark = cursor.at;
  const head = stringHead(cursor);
  if (head.kind === "integer" || head.length <= wholeBytes) {
    cursor.at = mark;
    return once(() => writer.string(string(cursor)));
  }
  writer.openString(head.length);
  if (head.kind === "plain") {
    let left = head.length;
    return () => {
      const take = Math.min(left, cursor.end - cursor.at, wholeBytes);
      if (take === 0) {
        cursor.wanted = 1;
        throw underflow;
      }
      writer.more(bytesOf(cursor, take));
      left -= take;
      return left === 0;
    };
  }
  const stream = createLzfStream(head.compressed, head.length);
  return () => {
    writer.more(stream.next(cursor));
    return stream.done();
  };
};

const elements = (writer: RecordWriter, list: Iterable<Buffer>): void => {
  for (const element of list) writer.element(element);
};

const members = (writer: RecordWriter, list: Iterable<Buffer>): void => {
  for (const member of list) writer.member(member);
};

function* tuples(list: Iterable<Buffer>, size: number): Generator<Buffer[], void> {
  let tuple: Buffer[] = [];
  for (const element of list) {
    tuple.push(element);
    if (tuple.length < size) continue;
    yield tuple;
    tuple = [];
  }
  if (tuple.length > 0) throw malformed("a packed value lacks an element");
}

const fields = (writer: RecordWriter, list: Iterable<Buffer>): void => {
  for (const [field, value] of tuples(list, 2)) writer.field(field!, value!, forever);
};

const scores = (writer: RecordWriter, list: Iterable<Buffer>): void => {
  for (const [member, score] of tuples(list, 2)) writer.scored(member!, scoreOf(score!.toString("latin1")));
};

/** As Redis writes a score in text. */
export const scoreOf = (text: string): number =>
  text === "inf" ? Number.POSITIVE_INFINITY : text === "-inf" ? Number.NEGATIVE_INFINITY : Number(text);

const scored = (writer: RecordWriter, member: Buffer, score: () => number): void => writer.scored(member, score());

const textScore = (cursor: Cursor): number => {
  const size = byte(cursor);
  if (size === 253) return Number.NaN;
  if (size === 254) return Number.POSITIVE_INFINITY;
  if (size === 255) return Number.NEGATIVE_INFINITY;
  return Number(bytesOf(cursor, size).toString("latin1"));
};

const twoStrings = (cursor: Cursor): [Buffer, Buffer] => [string(cursor), string(cursor)];

/** A node holds a listpack (2), or one large element as it is (1). */
const quicklistNode = (cursor: Cursor, writer: RecordWriter): void => {
  const container = length(cursor);
  const content = string(cursor);
  if (container === 1) writer.element(content);
  else elements(writer, listpack(content));
};

/** From Redis 7.4: each field has an expiry, told from the earliest one; 0 is none. */
const expiringHash = (cursor: Cursor, writer: RecordWriter): Step => {
  const earliest = i64(cursor);
  return each(cursor, writer, () => {
    const later = length(cursor);
    writer.field(...twoStrings(cursor), later === 0 ? forever : earliest + BigInt(later) - 1n);
  });
};

const expiringListpack = (cursor: Cursor, writer: RecordWriter): void => {
  i64(cursor);
  for (const [field, value, expiry] of tuples(listpack(string(cursor)), 3)) {
    const at = BigInt(expiry!.toString("latin1"));
    writer.field(field!, value!, at === 0n ? forever : at);
  }
};
