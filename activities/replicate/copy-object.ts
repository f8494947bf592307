import { createHash } from "node:crypto";
import { Failure } from "../../core/domain/failure.ts";
import type { Receipt, Store } from "../../core/stores/store.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Packs and ranges are named by the SHA-256 of their bytes; other objects are compared with the landing store's. */
const nameHash = (key: string): string | undefined => /^(?:packs|ranges)\/[0-9a-f]{2}\/([0-9a-f]{64})$/.exec(key)?.[1];

/** The object's bytes from a store, refused when they are not those that its name promises. */
export const getProven = async (store: Store, key: string, signal: AbortSignal): Promise<Uint8Array> => {
  const bytes = await store.get(key, signal);
  const expected = nameHash(key);
  if (expected !== undefined && sha256(bytes) !== expected) {
    throw new Failure("ObjectCorrupt", `${key} in store ${store.name} does not hash to its name`);
  }
  return bytes;
};

/** Copies one object, unless it is there already; then proves it by reading it back when asked to. */
export const copyObject = async (
  from: Store,
  to: Store,
  key: string,
  readBack: boolean,
  signal: AbortSignal,
): Promise<Receipt & { readonly proven: boolean }> => {
  const bytes = await getProven(from, key, signal);
  let receipt: Receipt;
  if (from === to) {
    const stat = await to.stat(key, signal);
    if (stat === undefined) throw new Failure("ObjectMissing", `${key} is not in store ${to.name}`);
    receipt = { id: stat.receipt, bytes: stat.bytes };
  } else {
    receipt = await to.put(key, bytes, signal);
  }
  if (!readBack || from === to) return { ...receipt, proven: from === to };
  const back = await to.get(key, signal);
  if (sha256(back) !== sha256(bytes))
    throw new Failure("ObjectCorrupt", `store ${to.name} gave back other bytes for ${key} than it was given`);
  return { ...receipt, proven: true };
};
