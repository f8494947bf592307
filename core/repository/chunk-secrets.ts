import { createHmac, createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { keyDeriver } from "./derive.ts";

export const idBytes = 32;
export const keyBytes = 32;

/** A chunk's name and its key. */
export interface ChunkSecrets {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
}

const chunkId = keyDeriver("dbgov-1/chunk-id");
const chunkKey = keyDeriver("dbgov-1/chunk-key");

/** Made ready once for each secret: it takes longer than many a chunk. */
const readyKeys = new WeakMap<Uint8Array, KeyObject>();
const readyKey = (secret: Uint8Array): KeyObject => {
  const ready = readyKeys.get(secret) ?? createSecretKey(secret);
  readyKeys.set(secret, ready);
  return ready;
};

/** From the plaintext: whoever has it, and the dedup secret, finds the chunk again and needs no stored key to refer to it. */
export const convergentSecrets = (dedupSecret: Uint8Array, plain: Uint8Array): ChunkSecrets => {
  const h = createHmac("sha256", readyKey(dedupSecret)).update(plain).digest();
  return { id: chunkId(h), key: chunkKey(h) };
};

/** For content too small to be safe from guessing: nothing follows from the plaintext. Never found again by another writer. */
export const randomSecrets = (): ChunkSecrets => ({ id: randomBytes(idBytes), key: randomBytes(keyBytes) });
