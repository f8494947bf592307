import { lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const prefix = "dbgov-restore-";
/** No restore takes so long: a folder of this age belongs to a process that was killed. */
const abandonedAfterMs = 7 * 24 * 60 * 60_000;

/** A new folder that nobody else can enter. Removes those that killed restores left behind. */
export const makeArchiveFolder = async (): Promise<string> => {
  await removeAbandoned(Date.now());
  return await mkdtemp(join(tmpdir(), prefix)); // mode 0700
};

const removeAbandoned = async (now: number): Promise<void> => {
  const own = process.getuid?.();
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(prefix)) continue;
    const folder = join(tmpdir(), name);
    // Another process may be removing it at the same time.
    const found = await lstat(folder).catch(() => undefined);
    if (found === undefined || found.uid !== (own ?? found.uid) || now - found.mtimeMs < abandonedAfterMs) continue;
    await rm(folder, { recursive: true, force: true });
  }
};
