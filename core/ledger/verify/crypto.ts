import { createHash, createHmac, createPublicKey, verify } from "node:crypto";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { concat, fromHex } from "./bytes.ts";

/**
 * All cryptography that the verifier uses, here by OpenSSL; `client/audit-page/crypto.ts` is the same for a browser, and a test compares the
 * two. Nothing here throws on hostile input: what cannot be checked is not right.
 */

export type Digest = "sha1" | "sha256" | "sha384" | "sha512";

export const digest = (algorithm: Digest, ...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};

export const hmacSha256 = (key: Uint8Array, message: Uint8Array): Uint8Array =>
  new Uint8Array(createHmac("sha256", key).update(message).digest());

export const keccak256 = (bytes: Uint8Array): Uint8Array => keccak_256(bytes);

const ed25519Prefix = fromHex("302a300506032b6570032100");

/** RFC 8032; `publicKey` has 32 bytes and `signature` 64. */
export const verifyEd25519 = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  return verifySpki(null, concat(ed25519Prefix, publicKey), message, signature);
};

/** A signature by the key of a certificate: RSA (PKCS #1 v1.5), or ECDSA on P-256 or P-384. `key` is a SubjectPublicKeyInfo in DER. */
export const verifyByCertificate = (algorithm: Digest, key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean =>
  verifySpki(algorithm, key, message, signature);

const verifySpki = (algorithm: Digest | null, key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
  try {
    return verify(algorithm, message, createPublicKey({ key: key as Buffer, format: "der", type: "spki" }), signature);
  } catch {
    return false;
  }
};
