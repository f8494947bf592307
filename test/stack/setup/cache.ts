import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { formatDuration } from "../../../core/domain/duration.ts";
import { withLock } from "../lock.ts";
import type { Progress } from "../progress.ts";

/** Where fetched programs are kept, shared between clones: `$DBGOV_CACHE`, else `dbgov` in the user's cache folder. */
export const cacheFolder = (): string => process.env.DBGOV_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "dbgov");

export interface Installation {
  readonly component: string;
  /** Folder name in the cache; holds the version, so that another version is another folder. */
  readonly folder: string;
  /** What is fetched, and why: shown before it starts. */
  readonly announcement: string;
  /** Fills the empty folder `into`. */
  readonly fill: (into: string, progress: Progress) => Promise<void>;
}

const folderOf = (installation: Installation): string => join(cacheFolder(), installation.folder);

export const isInstalled = (installation: Installation): boolean => existsSync(folderOf(installation));

/**
 * The cache folder of an installation, filled first if it is not there. Two that ask at once wait for one another; one
 * that was broken off has left only a temporary folder, which the next removes: a folder under its final name is whole.
 */
export const installed = async (installation: Installation, progress: Progress): Promise<string> => {
  const final = folderOf(installation);
  if (existsSync(final)) return final;
  const say = (message: string) => progress(installation.component, message);
  await mkdir(cacheFolder(), { recursive: true });
  await withLock(
    join(cacheFolder(), `${installation.folder}.lock`),
    async () => {
      if (existsSync(final)) return;
      const partial = `${final}.partial`;
      await rm(partial, { recursive: true, force: true });
      await mkdir(partial, { recursive: true });
      const started = Date.now();
      say(installation.announcement);
      try {
        await installation.fill(partial, progress);
      } catch (error) {
        await rm(partial, { recursive: true, force: true });
        throw error;
      }
      await rename(partial, final);
      say(`ready after ${formatDuration(Date.now() - started)}`);
    },
    () => say("another process is setting this up; waiting for it"),
  );
  return final;
};

/** A folder for the length of `work`. */
export const withTemporaryFolder = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
  await mkdir(cacheFolder(), { recursive: true });
  const folder = await mkdtemp(join(cacheFolder(), "temporary-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
