import { hashFields, withFields } from "./hash-fields.ts";
import { forever } from "./record.ts";
import { type KeyRecord, recordOf } from "./record-reader.ts";

/**
 * Keys and fields of hashes that were restored, or left out, with an expiry that passes before they are compared: that they
 * are gone is no difference. Their records are kept in memory, up to `mostBytes`.
 */
export interface ExpiringKeys {
  /** Every record that is written or left out, in order. */
  note(record: KeyRecord, now: bigint): void;
  /** A record as it was read back, to be compared: a hash with the fields that it had until they expired. */
  completed(record: KeyRecord, now: bigint): Buffer;
  /** Records of keys that expired by `now` and were not among those read back. */
  missing(now: bigint): Iterable<Buffer>;
  /** More than could be kept. */
  overflowed(): boolean;
}

interface Kept {
  readonly expiry: bigint;
  readonly records: readonly Buffer[];
  /** Of a hash with fields that expire. */
  readonly fields: boolean;
  seen: boolean;
}

const mostBytes = 128 << 20;
/** No restore with its comparison takes longer than this; one that does reports keys as missing that have expired. */
const horizonMs = 24n * 60n * 60n * 1000n;

const keyName = ({ database, key }: KeyRecord): string => `${database}:${key.toString("latin1")}`;

export const createExpiringKeys = (): ExpiringKeys => {
  const kept = new Map<string, Kept>();
  let pieces: { name: string; records: Buffer[] } | undefined;
  let bytes = 0;
  let overflowed = false;
  return {
    note: (record, now) => {
      const name = keyName(record);
      if (record.form === "piece") {
        if (pieces?.name !== name) pieces = { name, records: [] };
        // Only its last record tells whether it expires.
        if (pieces.records.length * record.bytes.length < mostBytes) pieces.records.push(Buffer.from(record.bytes));
        else overflowed = true;
        return;
      }
      const before = record.form === "closing" && pieces?.name === name ? pieces.records : [];
      pieces = undefined;
      const { first, last } = expiriesOf(record);
      if (first === forever || first > now + horizonMs) return;
      if (record.part !== undefined) {
        overflowed = true;
        return;
      }
      const records = [...before, Buffer.from(record.bytes)];
      bytes += records.reduce((sum, each) => sum + each.length, 0);
      if (bytes > mostBytes) overflowed = true;
      else kept.set(name, { expiry: last, records, fields: last === forever || first < last, seen: false });
    },
    completed: (record, now) => {
      const was = kept.get(keyName(record));
      if (was === undefined) return record.bytes;
      was.seen = true;
      if (!was.fields || record.type !== "hash" || record.form !== "whole") return record.bytes;
      const there = new Set(hashFields(record).map(({ field }) => field.toString("latin1")));
      const gone = hashFields(recordOf(was.records[0]!)).filter(
        ({ field, expiry }) => expiry !== forever && expiry <= now && !there.has(field.toString("latin1")),
      );
      return gone.length === 0 ? record.bytes : withFields(record, gone);
    },
    *missing(now) {
      for (const { expiry, records, seen } of kept.values()) if (!seen && expiry !== forever && expiry <= now) yield* records;
    },
    overflowed: () => overflowed,
  };
};

/** When the first of it may vanish, and when all of it has. */
const expiriesOf = (record: KeyRecord): { first: bigint; last: bigint } => {
  const { expiry, type, form } = record;
  if (type !== "hash" || form !== "whole") return { first: expiry, last: expiry };
  const fields = hashFields(record).map((field) => field.expiry);
  const expiring = fields.filter((at) => at !== forever).sort((a, b) => (a < b ? -1 : 1));
  const own = expiry === forever ? [] : [expiry];
  const wholly = expiring.length === fields.length ? expiring.slice(-1) : [];
  const earliest = (times: readonly bigint[]): bigint => times.reduce((a, b) => (a === forever || b < a ? b : a), forever);
  const [first, last] = [earliest([...expiring, ...own]), earliest([...wholly, ...own])];
  return { first, last };
};
