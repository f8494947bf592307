import { createHash } from "node:crypto";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { hashInName } from "../../core/repository/object-keys.ts";
import { hashObject } from "../../core/stores/hash-object.ts";
import type { Receipt, Store } from "../../core/stores/store.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** The object's bytes from a store, refused when they are not those that its name, or else `expected`, promises. */
export const getProven = async (store: Store, key: string, signal: AbortSignal, expected?: string): Promise<Uint8Array> => {
  const bytes = await store.get(key, signal);
  const promised = hashInName(key) ?? expected;
  if (promised !== undefined && sha256(bytes) !== promised) {
    throw new Failure("ObjectCorrupt", `${key} in store ${store.name} does not have the bytes that were written there`);
  }
  return bytes;
};

export interface Copy {
  /** In the order in which they are asked: the landing store, then whoever else may have a good copy when its own is bad. */
  readonly sources: readonly Store[];
  readonly to: Store;
  readonly key: string;
  /** The SHA-256 of an object that is not named by it. */
  readonly expected?: string | undefined;
  readonly readBack: boolean;
}

/**
 * Copies one object from the first source that has it intact; then proves it by reading it back when asked to. A source
 * that is the destination itself, and has it intact, is left as it is; one whose copy is bad gets a good one.
 */
export const copyObject = async (
  { sources, to, key, expected, readBack }: Copy,
  signal: AbortSignal,
): Promise<Receipt & { readonly proven: boolean }> => {
  const present = sources[0] === to ? await intactIn(to, key, expected, signal) : undefined;
  if (present !== undefined) return { ...present, proven: true };
  const { bytes, source } = await firstGood(sources, key, expected, signal);
  if (source === to) {
    const stat = await to.stat(key, signal);
    if (stat === undefined) throw new Failure("ObjectMissing", `${key} is not in store ${to.name}`);
    return { id: stat.receipt, bytes: stat.bytes, proven: true };
  }
  const receipt = await to.put(key, bytes, signal);
  // Where a bad copy lies, a store may take it for the one that it is given.
  if (!readBack && sources[0] !== to) return { ...receipt, proven: false };
  if ((await hashObject(to, key, bytes.length, signal)) !== sha256(bytes))
    throw new Failure("ObjectCorrupt", `store ${to.name} gave back other bytes for ${key} than it was given`);
  return { ...receipt, proven: true };
};

/** The receipt of an object that lies in the store as its name, or `expected`, promises; read in pieces. Undefined when it has to be looked at closely. */
const intactIn = async (store: Store, key: string, expected: string | undefined, signal: AbortSignal): Promise<Receipt | undefined> => {
  const promised = hashInName(key) ?? expected;
  const stat = promised === undefined ? undefined : await store.stat(key, signal);
  if (stat === undefined) return undefined;
  try {
    return (await hashObject(store, key, stat.bytes, signal)) === promised ? { id: stat.receipt, bytes: stat.bytes } : undefined;
  } catch (error) {
    // Whoever reads it whole, or from elsewhere, says what is wrong.
    if (isFailure(error)) return undefined;
    throw error;
  }
};

/** The first source's failure is thrown when none has the object. */
const firstGood = async (sources: readonly Store[], key: string, expected: string | undefined, signal: AbortSignal) => {
  let first: unknown;
  for (const source of sources) {
    try {
      return { bytes: await getProven(source, key, signal, expected), source };
    } catch (error) {
      first ??= error;
      if (!isFailure(error)) throw error;
    }
  }
  throw first;
};
