import { createHash } from "node:crypto";
import type { Store } from "./store.ts";

const pieceBytes = 1024 * 1024;

/** SHA-256, hex, of an object of `bytes`; in pieces where the store gives them, so that no pack has to be in memory as a whole. */
export const hashObject = async (store: Store, key: string, bytes: number, signal: AbortSignal): Promise<string> => {
  const hash = createHash("sha256");
  if (!store.capabilities.rangedReads) return hash.update(await store.get(key, signal)).digest("hex");
  for (let offset = 0; offset < bytes; offset += pieceBytes) {
    hash.update(await store.get(key, signal, { offset, length: Math.min(pieceBytes, bytes - offset) }));
  }
  return hash.digest("hex");
};
