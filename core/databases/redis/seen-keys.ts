import { hash } from "node:crypto";

/**
 * Keys that a scan has met: a server that grows its table in the middle tells of some twice. 128 bits of a hash of each, in one
 * flat table, since a set of a hundred million strings would not fit.
 */
export interface SeenKeys {
  /** Whether it is there already; from now on it is. */
  add(key: Buffer): boolean;
}

const words = 4;

export const createSeenKeys = (): SeenKeys => {
  let capacity = 1 << 12;
  let table = new Uint32Array(capacity * words);
  let count = 0;
  /** The slot of this hash, or the free one where it belongs. A hash whose first word is 0 has it made 1: 0 is free. */
  const slotOf = (into: Uint32Array, slots: number, a: number, b: number, c: number, d: number): number => {
    for (let slot = b % slots; ; slot = (slot + 1) % slots) {
      const at = slot * words;
      if (into[at] === 0) return at;
      if (into[at] === a && into[at + 1] === b && into[at + 2] === c && into[at + 3] === d) return at;
    }
  };
  const grow = (): void => {
    const next = new Uint32Array(capacity * 2 * words);
    for (let at = 0; at < table.length; at += words) {
      if (table[at] === 0) continue;
      const to = slotOf(next, capacity * 2, table[at]!, table[at + 1]!, table[at + 2]!, table[at + 3]!);
      next.set(table.subarray(at, at + words), to);
    }
    capacity *= 2;
    table = next;
  };
  return {
    add: (key) => {
      const digest = hash("sha256", key, "binary");
      const word = (at: number): number =>
        ((digest.charCodeAt(at) << 24) |
          (digest.charCodeAt(at + 1) << 16) |
          (digest.charCodeAt(at + 2) << 8) |
          digest.charCodeAt(at + 3)) >>>
        0;
      const a = word(0) || 1;
      const [b, c, d] = [word(4), word(8), word(12)];
      const at = slotOf(table, capacity, a, b, c, d);
      if (table[at] !== 0) return true;
      table.set([a, b, c, d], at);
      count += 1;
      if (count * 2 > capacity) grow();
      return false;
    },
  };
};
