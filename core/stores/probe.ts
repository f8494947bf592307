import { randomBytes, randomUUID } from "node:crypto";
import { Failure } from "../domain/failure.ts";
import type { Store } from "./store.ts";

/** Writes, reads and deletes an object of its own: what `Store.probe` does where that costs nothing. */
export const probeByWriting = async (
  store: Pick<Store, "name" | "put" | "get" | "stat" | "delete">,
  signal: AbortSignal,
): Promise<void> => {
  const key = `probe/${randomUUID()}`;
  const bytes = randomBytes(64);
  await store.put(key, bytes, signal);
  try {
    const back = await store.get(key, signal);
    if (!bytes.equals(back)) throw new Failure("ObjectCorrupt", `store "${store.name}": a test object came back with other bytes`);
  } finally {
    await store.delete(key, signal);
  }
  if ((await store.stat(key, signal)) !== undefined) {
    throw new Failure("StoreRejected", `store "${store.name}": a test object is still there after it was deleted`);
  }
};
