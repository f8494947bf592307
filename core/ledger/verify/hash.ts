import { createHash } from "node:crypto";

/** Hashing of the log's Merkle tree, RFC 6962 section 2.1: a prefix byte tells leaves from inner nodes. */

export type Hash = Uint8Array;

export const sha256 = (...parts: readonly Uint8Array[]): Hash => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};

const leafPrefix = Uint8Array.of(0x00);
const nodePrefix = Uint8Array.of(0x01);

/** The hash of one entry of the log. */
export const leafHash = (entry: Uint8Array): Hash => sha256(leafPrefix, entry);

/** The hash of two neighboring subtrees. */
export const nodeHash = (left: Hash, right: Hash): Hash => sha256(nodePrefix, left, right);

/** The root of a log without entries. */
export const emptyRoot = (): Hash => sha256();

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");

/** For text that is already known to be an even number of hex digits. */
export const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
