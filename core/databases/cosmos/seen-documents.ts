import { hash } from "node:crypto";

/**
 * Remembers which documents a part has given, by 64 bits of a hash each, so that one that was deleted and created again under its name
 * while the part was read, and so stands in the feed once more, is not given twice.
 */
export interface SeenDocuments {
  /** Whether a document of that name was given before; remembers it if there is room. */
  sawBefore(name: string): boolean;
}

/** What 32 MB hold. A partition with more documents is read on; only what is behind these could be given twice. */
const mostRemembered = 2_000_000;

export function rememberDocuments(most: number = mostRemembered): SeenDocuments {
  let slots = new Uint32Array(2 * 1_024);
  let filled = 0;
  /** The slot that holds these bits, or the free one where they belong. 0, 0 marks a free one. */
  const slotOf = (table: Uint32Array, high: number, low: number): number => {
    const size = table.length / 2;
    let slot = low & (size - 1);
    while ((table[2 * slot] !== 0 || table[2 * slot + 1] !== 0) && (table[2 * slot] !== high || table[2 * slot + 1] !== low))
      slot = (slot + 1) & (size - 1);
    return slot;
  };
  const grow = (): void => {
    const larger = new Uint32Array(slots.length * 2);
    for (let at = 0; at < slots.length; at += 2) {
      const [high, low] = [slots[at]!, slots[at + 1]!];
      if (high === 0 && low === 0) continue;
      larger.set([high, low], 2 * slotOf(larger, high, low));
    }
    slots = larger;
  };
  return {
    sawBefore: (name) => {
      const digest = hash("sha1", name, "buffer");
      const high = digest.readUInt32LE(0);
      const low = digest.readUInt32LE(4) || 1;
      const slot = slotOf(slots, high, low);
      if (slots[2 * slot] === high && slots[2 * slot + 1] === low) return true;
      if (filled >= most) return false;
      slots.set([high, low], 2 * slot);
      filled += 1;
      if (filled * 4 > slots.length) grow();
      return false;
    },
  };
}
