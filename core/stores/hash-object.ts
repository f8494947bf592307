import { createHash } from "node:crypto";
import { dropMemory } from "../repository/spare-memory.ts";
import type { Store } from "./store.ts";

const pieceBytes = 4 * 1024 * 1024;

/** SHA-256, hex, of an object of `bytes`; in pieces where the store gives them, so that no pack has to be in memory as a whole. */
export const hashObject = async (store: Store, key: string, bytes: number, signal: AbortSignal): Promise<string> => {
  const hash = createHash("sha256");
  if (!store.capabilities.rangedReads) return hash.update(await store.get(key, signal)).digest("hex");
  for (let offset = 0; offset < bytes; offset += pieceBytes) {
    const piece = await store.get(key, signal, { offset, length: Math.min(pieceBytes, bytes - offset) });
    hash.update(piece);
    dropMemory(piece);
  }
  return hash.digest("hex");
};
