import type { Dirent } from "node:fs";
import { open, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { StoreConfig } from "../config/schema.ts";
import { Failure } from "../domain/failure.ts";
import { removeAbandoned, writeDurably } from "./durable-file.ts";
import { failureOfFile, isMissingFile } from "./file-failure.ts";
import { checkKey, checkPrefix, folderOfPrefix, reservedPrefix } from "./keys.ts";
import { probeByWriting } from "./probe.ts";
import type { Store, StoreCapabilities, StoredObject, StoreOptions } from "./store.ts";
import { limitFor, withinLimit } from "./time-limit.ts";
import { rangeWithin } from "./transfer.ts";

export const directoryCapabilities: StoreCapabilities = {
  largestObject: Number.MAX_SAFE_INTEGER,
  rangedReads: true,
  deletion: "real",
  public: false,
  listing: "unordered",
  conditionalWrites: true,
  immutability: "none",
  minimumDays: 0,
  expires: "never",
  presence: "bytes read back and hashed",
  durableWhen: "file and folder are flushed to the disk",
};

/** Not in `/tmp`: the last step of a put is a rename, which works only within one file system. */
const unfinishedFolder = `${reservedPrefix}unfinished`;

type DirectoryConfig = Extract<StoreConfig, { kind: "directory" }>;

/** A folder, local or mounted: the object `packs/ab/…` is the file of that path. Does no I/O. */
export const openDirectoryStore = (config: DirectoryConfig, options: StoreOptions = {}): Store => {
  const { silenceMs = 30_000, create = true } = options;
  const root = config.path;
  const unfinished = join(root, unfinishedFolder);
  const where = `store "${config.name}" (${root})`;
  let tidied = false;

  /** Runs `work` with the time limit for `bytes`, and names the failure. */
  const attempt = <T>(doing: string, bytes: number, signal: AbortSignal, work: Parameters<typeof withinLimit<T>>[1]): Promise<T> => {
    const what = `${where}: ${doing}`;
    return withinLimit({ what, signal, ms: limitFor(silenceMs, bytes) }, async (stop, progressed) => {
      try {
        return await work(stop, progressed);
      } catch (error) {
        throw stop.aborted ? error : failureOfFile(what, error);
      }
    });
  };

  /** Where nothing may be created, a folder that does not exist is not an empty store: it may be an unmounted one. */
  const checkRoot = async (): Promise<void> => {
    if (create) return;
    const found = await stat(root).catch(() => undefined);
    if (found?.isDirectory() !== true) throw new Failure("StoreUnreachable", `${where}: there is no such folder`);
  };

  const describe = async (key: string): Promise<StoredObject | undefined> => {
    try {
      const found = await stat(join(root, key), { bigint: true });
      if (!found.isFile()) return undefined;
      return { key, bytes: Number(found.size), receipt: `${found.mtimeNs.toString(16)}-${found.size.toString(16)}` };
    } catch (error) {
      if (isMissingFile(error)) return undefined;
      throw error;
    }
  };

  const store: Store = {
    name: config.name,
    kind: "directory",
    capabilities: directoryCapabilities,

    put: async (key, bytes, signal) => {
      checkKey(key);
      return attempt(`put of ${key}`, bytes.length, signal, async (stop, progressed) => {
        await checkRoot();
        if (!tidied) await removeAbandoned(unfinished, Date.now());
        tidied = true;
        await writeDurably(join(root, key), bytes, unfinished, stop, progressed);
        return { id: (await describe(key))?.receipt ?? "replaced", bytes: bytes.length };
      });
    },

    get: async (key, signal, range) => {
      checkKey(key);
      return attempt(`get of ${key}`, range?.length ?? 0, signal, async (stop, progressed) => {
        const handle = await open(join(root, key), "r").catch(async (error: unknown) => {
          if (!isMissingFile(error)) throw error;
          await checkRoot();
          throw new Failure("ObjectMissing", `${where}: there is no object ${key}`);
        });
        try {
          const found = await handle.stat();
          if (!found.isFile()) throw new Failure("ObjectMissing", `${where}: there is no object ${key}`);
          const { offset, length } = rangeWithin(`${where}: ${key}`, found.size, range);
          const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
          for (let filled = 0; filled < length; ) {
            stop.throwIfAborted();
            const { bytesRead } = await handle.read(bytes, filled, Math.min(8 << 20, length - filled), offset + filled);
            if (bytesRead === 0) throw new Failure("ObjectCorrupt", `${where}: ${key} was cut off while it was read`);
            filled += bytesRead;
            progressed();
          }
          return bytes;
        } finally {
          await handle.close();
        }
      });
    },

    stat: async (key, signal) => {
      checkKey(key);
      return attempt(`stat of ${key}`, 0, signal, async () => {
        await checkRoot();
        return describe(key);
      });
    },

    async *list(prefix, signal) {
      checkPrefix(prefix);
      await attempt(`list of ${prefix}*`, 0, signal, checkRoot);
      const folders = [folderOfPrefix(prefix)];
      for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
        const at = folder;
        const entries = await attempt(`list of ${at}/`, 0, signal, () => entriesOf(join(root, at)));
        for (const entry of entries) {
          const key = at === "" ? entry.name : `${at}/${entry.name}`;
          if (key.startsWith(reservedPrefix)) continue;
          if (entry.isDirectory()) {
            if (`${key}/`.startsWith(prefix) || prefix.startsWith(`${key}/`)) folders.push(key);
          } else if (key.startsWith(prefix)) {
            const found = await attempt(`stat of ${key}`, 0, signal, () => describe(key));
            if (found !== undefined) yield found;
          }
        }
      }
    },

    delete: async (key, signal) => {
      checkKey(key);
      return attempt(`delete of ${key}`, 0, signal, async () => {
        await checkRoot();
        const path = join(root, key);
        // A key that is the folder of other keys is no object, and these stay.
        if ((await describe(key)) === undefined) return;
        await rm(path, { force: true });
        const folder = await open(dirname(path), "r");
        await folder.sync().finally(() => folder.close());
      });
    },

    probe: async (signal) => {
      await probeByWriting(store, signal);
      await attempt("removal of unfinished files", 0, signal, () => removeAbandoned(unfinished, Date.now()));
    },

    close: async () => {},
  };
  return store;
};

const entriesOf = async (folder: string): Promise<Dirent[]> => {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissingFile(error)) return [];
    throw error;
  }
};
