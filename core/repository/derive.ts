import { hash } from "node:crypto";

const blockBytes = 128;

/**
 * Labels of everything that is derived from a secret. Each is a whole BLAKE2b block, zero padded, so that no label
 * can run into the secret behind it.
 */
const labelBlock = (label: string): Buffer => {
  const block = Buffer.alloc(blockBytes);
  if (Buffer.byteLength(label) > blockBytes) throw new RangeError(`label too long: ${label}`);
  block.write(label, "utf8");
  return block;
};

/** BLAKE2b-512 (RFC 7693, unkeyed) of the label, zero padded to 128 bytes, and then `secret`. 64 bytes. */
export const deriveWide = (label: string, secret: Uint8Array): Buffer =>
  hash("blake2b512", Buffer.concat([labelBlock(label), secret]), "buffer");

/** The first 32 bytes of `deriveWide`. */
export const deriveKey = (label: string, secret: Uint8Array): Buffer => deriveWide(label, secret).subarray(0, 32);

/** Like `deriveKey` for a 32-byte secret, for a label used for each of many secrets. The result is fresh memory. */
export const keyDeriver = (label: string): ((secret: Uint8Array) => Uint8Array) => {
  const input = Buffer.concat([labelBlock(label), Buffer.alloc(32)]);
  return (secret) => {
    input.set(secret, blockBytes);
    return hash("blake2b512", input, "buffer").subarray(0, 32);
  };
};
