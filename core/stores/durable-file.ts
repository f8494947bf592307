import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { isMissingFile } from "./file-failure.ts";
import { checkStoredSize } from "./transfer.ts";

/** A put ends within its time limit, which is minutes: an unfinished file of this age belongs to nobody who lives. */
const abandonedAfterMs = 3_600_000;
const blockBytes = 4 << 20;

const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Creates `folder` and what is missing above it, and makes the new names durable. */
const ensureFolder = async (folder: string): Promise<void> => {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let at = folder; relative(dirname(first), at) !== ""; at = dirname(at)) await syncFolder(dirname(at));
};

/**
 * Writes `bytes` to a new file in `unfinished`, flushes it, gives it the name `path` and flushes the folder: after
 * this returns, a power cut cannot take it away, and before that nobody sees a part of it under `path`.
 */
export const writeDurably = async (
  path: string,
  bytes: Uint8Array,
  unfinished: string,
  signal: AbortSignal,
  progressed: () => void,
): Promise<void> => {
  await ensureFolder(unfinished);
  const temporary = join(unfinished, randomUUID());
  try {
    const handle = await open(temporary, "wx", 0o600);
    try {
      for (let offset = 0; offset < bytes.length; ) {
        signal.throwIfAborted();
        offset += (await handle.write(bytes, offset, Math.min(blockBytes, bytes.length - offset))).bytesWritten;
        progressed();
      }
      await handle.sync();
      checkStoredSize(path, (await handle.stat()).size, bytes.length);
    } finally {
      await handle.close();
    }
    await ensureFolder(dirname(path));
    signal.throwIfAborted();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
};

/** Removes what killed writers left behind in `unfinished`. */
export const removeAbandoned = async (unfinished: string, now: number): Promise<void> => {
  const names = await readdir(unfinished).catch((error: unknown) => {
    if (isMissingFile(error)) return [];
    throw error;
  });
  for (const name of names) {
    const path = join(unfinished, name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && now - found.mtimeMs > abandonedAfterMs) await rm(path, { force: true });
  }
};
