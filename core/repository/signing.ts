import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from "node:crypto";
import { Failure } from "../domain/failure.ts";

/** Signs with Ed25519 (RFC 8032). */
export interface Signer {
  /** First 16 hex digits of SHA-256 of the public key. */
  readonly keyId: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. A key that never leaves its vault signs there. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** Heads of the DER forms (RFC 8410) that hold a bare seed or public key. */
const pkcs8Head = Buffer.from("302e020100300506032b657004220420", "hex");
const spkiHead = Buffer.from("302a300506032b6570032100", "hex");

/** First 16 hex digits of SHA-256 of a public key, Ed25519 or X-Wing. */
export const keyIdOf = (publicKey: Uint8Array): string => hash("sha256", publicKey, "hex").slice(0, 16);

/** A signer from a 32-byte seed as 64 hex digits. Throws `ConfigurationInvalid`. */
export const signerFromSeed = (hexSeed: string): Omit<Signer, "sign"> & { sign(message: Uint8Array): Uint8Array } => {
  if (!/^[0-9a-fA-F]{64}$/.test(hexSeed.trim())) throw new Failure("ConfigurationInvalid", "a signing key must be 64 hex digits");
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Head, Buffer.from(hexSeed.trim(), "hex")]), format: "der", type: "pkcs8" });
  const publicKey = new Uint8Array(createPublicKey(key).export({ format: "der", type: "spki" }).subarray(spkiHead.length));
  return { keyId: keyIdOf(publicKey), publicKey, sign: (message) => sign(null, message, key) };
};

/** Whether `signature` is Ed25519 of `message` by `publicKey` (32 bytes). Never throws: a malformed key or signature is false. */
export const verifySignature = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.concat([spkiHead, publicKey]), format: "der", type: "spki" });
  } catch {
    return false;
  }
  return verify(null, message, key, signature);
};
