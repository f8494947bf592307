import { digest } from "./crypto.ts";

export { equalBytes, fromHex, toHex, utf8 } from "./bytes.ts";

/** Hashing of the log's Merkle tree, RFC 6962 section 2.1: a prefix byte tells leaves from inner nodes. */

export type Hash = Uint8Array;

export const sha256 = (...parts: readonly Uint8Array[]): Hash => digest("sha256", ...parts);

const leafPrefix = Uint8Array.of(0x00);
const nodePrefix = Uint8Array.of(0x01);

/** The hash of one entry of the log. */
export const leafHash = (entry: Uint8Array): Hash => sha256(leafPrefix, entry);

/** The hash of two neighboring subtrees. */
export const nodeHash = (left: Hash, right: Hash): Hash => sha256(nodePrefix, left, right);

/** The root of a log without entries. */
export const emptyRoot = (): Hash => sha256();
