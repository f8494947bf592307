import sodium from "libsodium-wrappers";
import { Failure } from "../domain/failure.ts";
import { decodeBase64, encodeBase64 } from "./canonical-json.ts";
import { deriveKey } from "./derive.ts";
import { keyIdOf } from "./signing.ts";

/** What a capture worker holds beside its signing key. Neither opens any content. */
export interface RepositoryKeys {
  /** 32 bytes: chunk ids and chunk keys follow from it and the plaintext. */
  readonly dedupSecret: Uint8Array;
  /** 32 bytes: seals pack directories and what ranges and manifests refer to. */
  readonly indexKey: Uint8Array;
}

/** A public key (X-Wing, 1216 bytes) that snapshots are sealed to. */
export interface Recipient {
  readonly name: string;
  /** First 16 hex digits of SHA-256 of the public key. */
  readonly id: string;
  readonly publicKey: Uint8Array;
}

/** What opens envelopes: the 32-byte X-Wing secret. */
export interface RecipientSecret {
  readonly id: string;
  readonly secretKey: Uint8Array;
}

export const publicKeyBytes = 1216;
export const secretKeyBytes = 32;
const publicHead = "dbgov-recipient-1:";
const secretHead = "dbgov-secret-1:";

/** Parses `dbgov-recipient-1:<base64>`. Throws `ConfigurationInvalid`. */
export const parseRecipient = (name: string, text: string): Recipient => {
  const trimmed = text.trim();
  const publicKey = trimmed.startsWith(publicHead) ? decodeBase64(trimmed.slice(publicHead.length), publicKeyBytes) : undefined;
  if (publicKey === undefined) {
    throw new Failure("ConfigurationInvalid", `the public key of recipient ${name} is not a ${publicHead}… key of ${publicKeyBytes} bytes`);
  }
  return { name, id: keyIdOf(publicKey), publicKey: new Uint8Array(publicKey) };
};

/** Parses `dbgov-secret-1:<base64>`; spaces and line breaks, as on a printed page, do not matter. Throws `WrongKey`. */
export const parseRecipientSecret = async (text: string): Promise<RecipientSecret> => {
  const compact = text.replaceAll(/\s/g, "");
  const secretKey = compact.startsWith(secretHead) ? decodeBase64(compact.slice(secretHead.length), secretKeyBytes) : undefined;
  if (secretKey === undefined) throw new Failure("WrongKey", `the recovery key is not a ${secretHead}… key of ${secretKeyBytes} bytes`);
  await sodium.ready;
  const pair = sodium.crypto_kem_xwing_seed_keypair(secretKey);
  return { id: keyIdOf(pair.publicKey), secretKey: pair.privateKey };
};

/** A fresh X-Wing pair as text: the public part for the configuration, the secret part for the recovery kit. */
export const generateRecipient = async (): Promise<{ publicText: string; secretText: string }> => {
  await sodium.ready;
  const pair = sodium.crypto_kem_xwing_keypair();
  return { publicText: publicHead + encodeBase64(pair.publicKey), secretText: secretHead + encodeBase64(pair.privateKey) };
};

/** 32 bytes that key row digests; goes into every manifest's sealed content. Also the root of the table that chunking uses. */
export const digestKeyOf = (dedupSecret: Uint8Array): Uint8Array => deriveKey("dbgov-1/row-digest", dedupSecret);
