/**
 * Reading DER (X.690): as much of it as RFC 3161 tokens need. Lengths must be in their shortest form, and nothing may be left over:
 * what could be read in two ways is not read at all.
 */
export interface Der {
  /** The identifier's byte; high tag numbers do not occur. */
  readonly tag: number;
  /** With identifier and length. */
  readonly bytes: Uint8Array;
  readonly content: Uint8Array;
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  /** With two digits of the year. */
  shortTime: 0x17,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
  /** Context-specific and constructed. */
  context: (number: number): number => 0xa0 + number,
  /** Context-specific and primitive. */
  plain: (number: number): number => 0x80 + number,
} as const;

/** Thrown by the readers below; whoever verifies makes a reason of it. */
export class DerError extends Error {
  override readonly name = "DerError";
}

const deepest = 4;

/** The one element that `bytes` are. */
export const readDer = (bytes: Uint8Array): Der => {
  const [element, ...rest] = readElements(bytes);
  if (element === undefined || rest.length > 0) throw new DerError("is not one element of DER");
  return element;
};

/** The elements one after the other. */
export const readElements = (bytes: Uint8Array): Der[] => {
  const elements: Der[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at]!;
    const { head, length } = lengthAt(bytes, at + 1);
    const end = at + 1 + head + length;
    if ((tag & 0x1f) === 0x1f || end > bytes.length) throw new DerError("is cut off, or no DER");
    elements.push({ tag, bytes: bytes.subarray(at, end), content: bytes.subarray(at + 1 + head, end) });
    at = end;
  }
  return elements;
};

const lengthAt = (bytes: Uint8Array, at: number): { head: number; length: number } => {
  const first = bytes[at];
  if (first === undefined) throw new DerError("is cut off");
  if (first < 0x80) return { head: 1, length: first };
  const count = first & 0x7f;
  const digits = bytes.subarray(at + 1, at + 1 + count);
  const length = digits.reduce((sum, digit) => sum * 256 + digit, 0);
  if (count === 0 || count > deepest || digits.length < count || digits[0] === 0 || length < 0x80) {
    throw new DerError("has a length that DER does not allow");
  }
  return { head: 1 + count, length };
};

/** The element, which must have that tag. */
export const expectTag = (element: Der | undefined, tag: number, what: string): Der => {
  if (element?.tag !== tag) throw new DerError(`has no ${what} where it must be`);
  return element;
};

export const childrenOf = (element: Der | undefined, tag: number, what: string): Der[] =>
  readElements(expectTag(element, tag, what).content);

/** `1.2.840.113549.1.7.2` */
export const oidOf = (element: Der | undefined): string => {
  const { content } = expectTag(element, tags.oid, "object identifier");
  const arcs: number[] = [];
  let value = 0;
  for (const [at, byte] of content.entries()) {
    if ((value === 0 && byte === 0x80) || value > 2 ** 40) throw new DerError("has a malformed object identifier");
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(value);
      value = 0;
    } else if (at === content.length - 1) throw new DerError("has a malformed object identifier");
  }
  const first = arcs.shift() ?? 0;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...arcs].join(".");
};
