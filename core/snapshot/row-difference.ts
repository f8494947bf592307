import { hash } from "node:crypto";
import type { Framing } from "../domain/snapshot.ts";
import { createRowSplitter } from "../repository/row-splitter.ts";

/** One side of a comparison. Both functions may be called again, and must then give the same rows. */
export interface RowSource {
  readonly rows: number;
  readonly framing: Framing;
  content(): AsyncIterable<Uint8Array>;
  readonly key: ((row: Uint8Array) => Uint8Array) | undefined;
}

export interface RowDifference {
  /** Rows of `after` that `before` has not: by key where both sides have one, else by content, as often as they occur. */
  readonly added: number;
  readonly removed: number;
  /** Rows with the same key and other content. Null without keys: a changed row then counts as one removed and one added. */
  readonly changed: number | null;
}

/** How many rows are held at once: each takes 28 bytes of a table that is at most half full. More rows are compared in several passes. */
const rowsAtOnce = 2 ** 21;

/** Compares rows regardless of their order, by 128 bits of SHA-256. Memory stays flat; content is read once for each pass. */
export const rowDifference = async (before: RowSource, after: RowSource, atOnce = rowsAtOnce): Promise<RowDifference> => {
  const keyed = before.key !== undefined && after.key !== undefined;
  const passes = Math.max(1, Math.ceil((before.rows + after.rows) / atOnce));
  const total = { added: 0, removed: 0, changed: 0 };
  for (let pass = 0; pass < passes; pass += 1) {
    const table = createTable(Math.min(atOnce, before.rows + after.rows));
    await count(before, 1, keyed, table, passes, pass);
    await count(after, -1, keyed, table, passes, pass);
    const found = table.difference(keyed);
    total.added += found.added;
    total.removed += found.removed;
    total.changed += found.changed;
  }
  return { ...total, changed: keyed ? total.changed : null };
};

const count = async (source: RowSource, by: 1 | -1, keyed: boolean, table: RowTable, passes: number, pass: number): Promise<void> => {
  const splitter = createRowSplitter(source.framing, (row) => {
    const compared = source.framing === "stamped" ? unstampedRow(row) : row;
    const digest = hash("sha256", compared, "buffer");
    const key = keyed ? hash("sha256", source.key!(compared), "buffer") : digest;
    // Rows of one key meet in one pass.
    if (passes === 1 || key.readUInt32LE(8) % passes === pass) table.add(digest, key, by);
  });
  for await (const block of source.content()) splitter.push(block);
  splitter.finish();
};

const unstampedRow = (row: Uint8Array): Uint8Array => {
  const tab = row.indexOf(0x09);
  return tab < 0 ? row : row.subarray(0, tab);
};

interface RowTable {
  add(digest: Buffer, key: Buffer, by: 1 | -1): void;
  difference(keyed: boolean): { added: number; removed: number; changed: number };
}

const words = 6;

/** Counts by digest, with open addressing in typed arrays; grows when more rows come than were announced. */
const createTable = (rows: number): RowTable => {
  let slots = 2 ** Math.ceil(Math.log2(Math.max(16, rows * 2)));
  let facts = new Uint32Array(slots * words);
  let counts = new Int32Array(slots);
  let taken = new Uint8Array(slots);
  let used = 0;
  const slotOf = (a: number, b: number, c: number, d: number): number => {
    for (let slot = a & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      if (taken[slot] === 0) return slot;
      const at = slot * words;
      if (facts[at] === a && facts[at + 1] === b && facts[at + 2] === c && facts[at + 3] === d) return slot;
    }
  };
  const put = (values: readonly number[] | Uint32Array, by: number): void => {
    const slot = slotOf(values[0]!, values[1]!, values[2]!, values[3]!);
    if (taken[slot] === 0) {
      taken[slot] = 1;
      used += 1;
      facts.set(values, slot * words);
    }
    counts[slot]! += by;
  };
  const grow = (): void => {
    const [oldFacts, oldCounts, oldTaken] = [facts, counts, taken];
    slots *= 2;
    [facts, counts, taken, used] = [new Uint32Array(slots * words), new Int32Array(slots), new Uint8Array(slots), 0];
    oldTaken.forEach((is, slot) => {
      if (is === 1) put(oldFacts.subarray(slot * words, (slot + 1) * words), oldCounts[slot]!);
    });
  };
  return {
    add: (digest, key, by) => {
      if (used * 2 >= slots) grow();
      const word = (bytes: Buffer, at: number): number => bytes.readUInt32LE(at);
      put([word(digest, 0), word(digest, 4), word(digest, 8), word(digest, 12), word(key, 0), word(key, 4)], by);
    },
    difference: (keyed) => {
      let [added, removed, changed] = [0, 0, 0];
      /** By key: how many rows are left on the side of `before`. */
      const left = new Map<string, number>();
      const each = (sign: 1 | -1, visit: (key: string, times: number) => void): void => {
        for (let slot = 0; slot < slots; slot += 1) {
          const times = counts[slot]! * sign;
          if (times > 0) visit(`${facts[slot * words + 4]}/${facts[slot * words + 5]}`, times);
        }
      };
      each(1, (key, times) => {
        removed += times;
        if (keyed) left.set(key, (left.get(key) ?? 0) + times);
      });
      each(-1, (key, times) => {
        added += times;
        const pairs = Math.min(times, left.get(key) ?? 0);
        if (pairs === 0) return;
        left.set(key, left.get(key)! - pairs);
        changed += pairs;
      });
      return { added: added - changed, removed: removed - changed, changed };
    },
  };
};
