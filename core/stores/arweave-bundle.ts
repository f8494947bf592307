import { createHash } from "node:crypto";
import Arweave from "arweave";
import { Failure } from "../domain/failure.ts";
import { isSignedBy, type Wallet } from "./arweave-wallet.ts";

/**
 * ANS-104: many small objects in one transaction. A bundle is a count, a table of sizes and ids, and the items; an item is signed like a
 * transaction, and has tags like one. Only what dbgov writes is written and read: items signed by an Arweave wallet of 4,096 bits, without
 * target or anchor.
 */
export interface BundleItem {
  readonly id: string;
  /** The public key's modulus, base64url. */
  readonly owner: string;
  readonly tags: readonly (readonly [name: string, value: string])[];
  readonly data: Uint8Array;
}

export const bundleTags: readonly (readonly [string, string])[] = [
  ["Bundle-Format", "binary"],
  ["Bundle-Version", "2.0.0"],
];

const arweaveSignature = 1;
const keyBytes = 512;
const text = (words: string): Uint8Array => Buffer.from(words, "utf8");
const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
const idOf = (signature: Uint8Array): Buffer => createHash("sha256").update(signature).digest();

/** Whether `wallet` has a key of the one size that the format knows. */
export const canSignItems = (wallet: Wallet): boolean => Buffer.from(wallet.key.n, "base64url").length === keyBytes;

/** An Avro long: zigzag, seven bits in a byte. */
const long = (value: number): number[] => {
  const out: number[] = [];
  let left = value * 2;
  for (; left > 0x7f; left = Math.floor(left / 128)) out.push((left % 128) | 0x80);
  return [...out, left];
};

const encodeTags = (tags: BundleItem["tags"]): Buffer => {
  const string = (words: string): Buffer => Buffer.concat([Buffer.from(long(Buffer.byteLength(words))), Buffer.from(words)]);
  return Buffer.concat([
    Buffer.from(long(tags.length)),
    ...tags.flatMap(([name, value]) => [string(name), string(value)]),
    Buffer.from([0]),
  ]);
};

const decodeTags = (bytes: Buffer, count: number): [string, string][] => {
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    // A negative one is odd here, and no count or length of a string can be that.
    return value % 2 === 0 ? value / 2 : 0;
  };
  const string = (): string => {
    const length = number();
    at += length;
    return bytes.subarray(at - length, at).toString("utf8");
  };
  const tags: [string, string][] = [];
  for (let left = number(); left > 0; left = number()) {
    for (; left > 0 && at < bytes.length; left -= 1) tags.push([string(), string()]);
  }
  return tags.length === count ? tags : [];
};

const sha384 = (...parts: readonly Uint8Array[]): Buffer => createHash("sha384").update(Buffer.concat(parts)).digest();

/** Arweave's "deep hash" of a flat list. */
const deepHash = (list: readonly Uint8Array[]): Buffer =>
  list.reduce<Buffer>(
    (hash, part) => sha384(hash, sha384(sha384(text(`blob${part.length}`)), sha384(part))),
    sha384(text(`list${list.length}`)),
  );

const nothing = new Uint8Array();
const signedPart = (owner: Uint8Array, tags: Uint8Array, data: Uint8Array): Uint8Array =>
  deepHash([text("dataitem"), text("1"), text(String(arweaveSignature)), owner, nothing, nothing, tags, data]);

/** An item, signed; its id is the hash of its signature. */
export const signItem = async (wallet: Wallet, tags: BundleItem["tags"], data: Uint8Array): Promise<{ id: string; bytes: Buffer }> => {
  const owner = Buffer.from(wallet.key.n, "base64url");
  const encoded = tags.length === 0 ? Buffer.alloc(0) : encodeTags(tags);
  const signature = await Arweave.crypto.sign(wallet.key, signedPart(owner, encoded, data));
  const head = Buffer.alloc(2);
  head.writeUInt16LE(arweaveSignature);
  const counts = Buffer.alloc(16);
  counts.writeBigUInt64LE(BigInt(tags.length));
  counts.writeBigUInt64LE(BigInt(encoded.length), 8);
  const bytes = Buffer.concat([head, signature, owner, Buffer.from([0, 0]), counts, encoded, data]);
  return { id: base64url(idOf(signature)), bytes };
};

export const encodeBundle = (items: readonly { readonly id: string; readonly bytes: Uint8Array }[]): Buffer => {
  const number = (value: number): Buffer => {
    const out = Buffer.alloc(32);
    out.writeBigUInt64LE(BigInt(value));
    return out;
  };
  const table = items.flatMap(({ id, bytes }) => [number(bytes.length), Buffer.from(id, "base64url")]);
  return Buffer.concat([number(items.length), ...table, ...items.map(({ bytes }) => bytes)]);
};

const readItem = (bytes: Buffer, id: string): BundleItem | undefined => {
  const fixed = 2 + 2 * keyBytes;
  // Another kind of signature, a target or an anchor: not one of ours.
  if (bytes.length < fixed + 18 || bytes.readUInt16LE(0) !== arweaveSignature || bytes[fixed] !== 0 || bytes[fixed + 1] !== 0)
    return undefined;
  const signature = bytes.subarray(2, 2 + keyBytes);
  const owner = bytes.subarray(2 + keyBytes, fixed);
  const [count, length] = [Number(bytes.readBigUInt64LE(fixed + 2)), Number(bytes.readBigUInt64LE(fixed + 10))];
  const tags = bytes.subarray(fixed + 18, fixed + 18 + length);
  const data = bytes.subarray(fixed + 18 + length);
  const signed = base64url(idOf(signature)) === id && isSignedBy(base64url(owner), signedPart(owner, tags, data), signature);
  if (!signed) throw new Failure("ObjectCorrupt", `the item ${id} of a bundle is not what was signed`);
  return { id, owner: base64url(owner), tags: decodeTags(tags, count), data };
};

/** The items that dbgov could have written, each checked against its signature. `ObjectCorrupt` for what is no bundle. */
export const readBundle = (bytes: Buffer): BundleItem[] => {
  const wrong = (): Failure => new Failure("ObjectCorrupt", "what should be a bundle of objects is none, or is cut off");
  const count = bytes.length < 32 ? 0 : Number(bytes.readBigUInt64LE(0));
  let at = 32 + count * 64;
  if (bytes.length < 32 || at > bytes.length) throw wrong();
  const items: BundleItem[] = [];
  for (let index = 0; index < count; index += 1) {
    const entry = 32 + index * 64;
    const size = Number(bytes.readBigUInt64LE(entry));
    if (at + size > bytes.length) throw wrong();
    const item = readItem(bytes.subarray(at, at + size), base64url(bytes.subarray(entry + 32, entry + 64)));
    if (item !== undefined) items.push(item);
    at += size;
  }
  return items;
};
