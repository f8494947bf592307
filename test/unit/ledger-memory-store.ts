import { Failure } from "../../core/domain/failure.ts";
import { directoryCapabilities } from "../../core/stores/directory.ts";
import type { Store } from "../../core/stores/store.ts";

/** A store in memory whose objects a test can alter, and whose writes it can make fail after the k-th. Keys are immutable, except the checkpoint. */
export interface MemoryStore extends Store {
  readonly objects: Map<string, Uint8Array>;
  /** Writes and deletions that still succeed; everything after them fails, as after a kill. */
  lives: number;
  changes: number;
}

export const memoryStore = (): MemoryStore => {
  const objects = new Map<string, Uint8Array>();
  const change = (): void => {
    if (store.lives <= 0) throw new Failure("StoreUnreachable", "killed");
    store.lives--;
    store.changes++;
  };
  const stored = (key: string, bytes: Uint8Array) => ({ key, bytes: bytes.length, receipt: key });
  const store: MemoryStore = {
    name: "memory",
    kind: "directory",
    capabilities: { ...directoryCapabilities, largestObject: 2 ** 30, rangedReads: false },
    objects,
    lives: Number.POSITIVE_INFINITY,
    changes: 0,
    put: async (key, bytes) => {
      change();
      const before = objects.get(key);
      if (key !== "log/checkpoint" && before !== undefined && Buffer.compare(before, bytes) !== 0) {
        throw new Failure("StoreRejected", `${key} is there with other bytes`);
      }
      objects.set(key, bytes.slice());
      return { id: key, bytes: bytes.length };
    },
    get: async (key) => {
      const bytes = objects.get(key);
      if (bytes === undefined) throw new Failure("ObjectMissing", key);
      return bytes.slice();
    },
    stat: async (key) => {
      const bytes = objects.get(key);
      return bytes === undefined ? undefined : stored(key, bytes);
    },
    list: async function* (prefix) {
      for (const [key, bytes] of [...objects]) if (key.startsWith(prefix)) yield stored(key, bytes);
    },
    delete: async (key) => {
      change();
      objects.delete(key);
    },
    probe: async () => {},
    close: async () => {},
  };
  return store;
};
