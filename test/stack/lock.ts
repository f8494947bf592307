import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";

const tryLock = (path: string): DatabaseSync | undefined => {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database.close();
    if (/locked|busy/i.test(String(error))) return undefined;
    throw error;
  }
};

/**
 * Runs `work` while no other process (nor another caller in this one) runs under the same `path`.
 * The lock is the operating system's own, by way of SQLite: a process that dies in any way lets go of it, so there is
 * nothing stale to clean up. The file stays behind empty. `onWait` is called once if somebody else holds the lock.
 */
export const withLock = async <T>(path: string, work: () => Promise<T>, onWait?: () => void): Promise<T> => {
  mkdirSync(dirname(path), { recursive: true });
  let held = tryLock(path);
  if (held === undefined) onWait?.();
  while (held === undefined) {
    await delay(25);
    held = tryLock(path);
  }
  try {
    return await work();
  } finally {
    held.close();
  }
};

/** Like `withLock`, with as many holders at once as there are `paths`. */
export const withOneOf = async <T>(paths: readonly string[], work: () => Promise<T>): Promise<T> => {
  for (const path of paths) mkdirSync(dirname(path), { recursive: true });
  for (;;) {
    for (const path of paths) {
      const held = tryLock(path);
      if (held === undefined) continue;
      try {
        return await work();
      } finally {
        held.close();
      }
    }
    await delay(100);
  }
};
