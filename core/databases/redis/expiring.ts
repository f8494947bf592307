import { forever } from "./record.ts";
import type { KeyRecord } from "./record-reader.ts";

/**
 * Keys that were restored, or left out, with an expiry that passes while somebody compares: their absence is no
 * difference. Their records are kept in memory, up to `mostBytes`.
 */
export interface ExpiringKeys {
  /** Every record that is written or left out, in order. */
  note(record: KeyRecord, now: bigint): void;
  /** Records of keys that expired by `now` and are not among those seen. */
  missing(now: bigint, seen: ReadonlySet<string>): Iterable<Buffer>;
  /** Whether a key with this expiry may vanish while it is read. */
  soon(expiry: bigint, now: bigint): boolean;
  /** More than could be kept. */
  overflowed(): boolean;
}

const mostBytes = 128 << 20;
/** No restore with its comparison takes longer than this; one that does reports keys as missing that have expired. */
const horizonMs = 24n * 60n * 60n * 1000n;

export const keyName = ({ database, key }: { readonly database: number; readonly key: Uint8Array }): string =>
  `${database}:${Buffer.from(key).toString("latin1")}`;

export const createExpiringKeys = (): ExpiringKeys => {
  const kept: { readonly name: string; readonly expiry: bigint; readonly records: readonly Buffer[] }[] = [];
  let pieces: { name: string; records: Buffer[] } | undefined;
  let bytes = 0;
  let overflowed = false;
  const soon = (expiry: bigint, now: bigint): boolean => expiry !== forever && expiry < now + horizonMs;
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
      if (!soon(record.expiry, now)) return;
      const records = [...before, Buffer.from(record.bytes)];
      bytes += records.reduce((sum, each) => sum + each.length, 0);
      if (bytes > mostBytes) overflowed = true;
      else kept.push({ name, expiry: record.expiry, records });
    },
    *missing(now, seen) {
      for (const { name, expiry, records } of kept) if (expiry <= now && !seen.has(name)) yield* records;
    },
    soon,
    overflowed: () => overflowed,
  };
};
