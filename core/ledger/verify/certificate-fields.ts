import { toHex } from "./bytes.ts";
import { childrenOf, type Der, DerError, expectTag, oidOf, readDer, tags } from "./der.ts";

/** Fields of X.509 certificates (RFC 5280, section 4.1), as much as time-stamping authorities need. */

/** RFC 5280 section 4.1.2.5: two digits of a year mean 1950 to 2049. */
export const readTime = (element: Der | undefined): Date => {
  const text = String.fromCharCode(...(element?.content.subarray(0, 16) ?? []));
  const whole = element?.tag === tags.shortTime ? `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}` : text;
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(whole);
  const time = match === null ? undefined : new Date(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`);
  if (time === undefined || Number.isNaN(time.getTime()) || (element?.tag !== tags.shortTime && element?.tag !== tags.time)) {
    throw new DerError("has a malformed time");
  }
  return time;
};

export interface Extension {
  readonly id: string;
  readonly critical: boolean;
  /** DER. */
  readonly value: Uint8Array;
}

export const readExtension = (element: Der): Extension => {
  const [id, second, third] = childrenOf(element, tags.sequence, "extension");
  const critical = second?.tag === tags.boolean && second.content[0] === 0xff;
  return { id: oidOf(id), critical, value: expectTag(critical ? third : second, tags.octets, "extension").content };
};

/** Whether the extension, basicConstraints, makes an authority, and how many others may come below it. */
export const readBasicConstraints = (value: Uint8Array): { authority: boolean; most: number } => {
  const [first, second] = childrenOf(readDer(value), tags.sequence, "constraints");
  if (first?.tag !== tags.boolean || first.content[0] !== 0xff) return { authority: false, most: 0 };
  return { authority: true, most: second === undefined ? Number.POSITIVE_INFINITY : (second.content[0] ?? 0) };
};

/** Whether the extension, keyUsage, has the bit that lets the key sign certificates. */
export const maySignCertificates = (value: Uint8Array): boolean => {
  const bits = expectTag(readDer(value), tags.bits, "key usage").content;
  return ((bits[1] ?? 0) & 0x04) !== 0;
};

/** The bytes of a bit string whose bits fill them. */
export const wholeBits = (element: Der | undefined): Uint8Array => {
  const { content } = expectTag(element, tags.bits, "signature");
  if (content[0] !== 0) throw new DerError("has a signature of an odd length");
  return content.subarray(1);
};

const attributes: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
};

/** A name as people write it: `C=DE, O=Example, CN=Example Time`. */
export const nameText = (name: Uint8Array): string =>
  childrenOf(readDer(name), tags.sequence, "name")
    .flatMap((part) => childrenOf(part, tags.set, "name"))
    .map((attribute) => {
      const [id, value] = childrenOf(attribute, tags.sequence, "name");
      const oid = oidOf(id);
      return `${attributes[oid] ?? oid}=${textOf(value)}`;
    })
    .join(", ");

const textOf = (value: Der | undefined): string => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(value?.content);
  } catch {
    return `#${toHex(value?.content ?? new Uint8Array())}`;
  }
};
