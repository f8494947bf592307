/** Decoding of RLP, the encoding of Ethereum's blocks, receipts and tries (Yellow Paper, appendix B). */

export type Rlp = Uint8Array | readonly Rlp[];

/** Headers, receipts and trie nodes nest less. */
const deepest = 8;

/** What `bytes` encode; undefined unless they are exactly one item in its only valid encoding. */
export const decodeRlp = (bytes: Uint8Array): Rlp | undefined => {
  const item = readItem(bytes, 0, bytes.length, 0);
  return item !== undefined && item.end === bytes.length ? item.value : undefined;
};

interface Item {
  readonly value: Rlp;
  readonly end: number;
}

const readItem = (bytes: Uint8Array, start: number, limit: number, depth: number): Item | undefined => {
  const first = bytes[start];
  if (first === undefined || start >= limit || depth > deepest) return undefined;
  if (first < 0x80) return { value: bytes.subarray(start, start + 1), end: start + 1 };
  const isList = first >= 0xc0;
  const span = readSpan(bytes, start, limit, first - (isList ? 0xc0 : 0x80));
  if (span === undefined) return undefined;
  if (!isList) {
    const value = bytes.subarray(span.from, span.end);
    return value.length === 1 && value[0]! < 0x80 ? undefined : { value, end: span.end };
  }
  const items: Rlp[] = [];
  for (let at = span.from; at < span.end; ) {
    const item = readItem(bytes, at, span.end, depth + 1);
    if (item === undefined) return undefined;
    items.push(item.value);
    at = item.end;
  }
  return { value: items, end: span.end };
};

/** Where the content lies: up to 55 bytes long, or with its length in up to four bytes of its own. */
const readSpan = (bytes: Uint8Array, start: number, limit: number, code: number): { from: number; end: number } | undefined => {
  let from = start + 1;
  let length = code;
  if (code > 55) {
    const lengthBytes = code - 55;
    if (lengthBytes > 4 || from + lengthBytes > limit || bytes[from] === 0) return undefined;
    length = 0;
    for (let at = 0; at < lengthBytes; at++) length = length * 256 + bytes[from + at]!;
    if (length <= 55) return undefined;
    from += lengthBytes;
  }
  return from + length <= limit ? { from, end: from + length } : undefined;
};

/** The encoding of a transaction's position, which is its key in a block's tries. */
export const rlpOfIndex = (index: number): Uint8Array => {
  if (index === 0) return Uint8Array.of(0x80);
  if (index < 0x80) return Uint8Array.of(index);
  const digits: number[] = [];
  for (let rest = index; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Uint8Array.of(0x80 + digits.length, ...digits);
};

/** A number below 2^53 without leading zeros; undefined for anything else. */
export const numberOf = (item: Rlp | undefined): number | undefined => {
  if (!(item instanceof Uint8Array) || item.length > 7 || item[0] === 0) return undefined;
  const value = item.reduce((sum, byte) => sum * 256 + byte, 0);
  return Number.isSafeInteger(value) ? value : undefined;
};
