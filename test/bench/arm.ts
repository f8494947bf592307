import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { treeSeconds } from "./process-tree.ts";
import type { ArmName, Measured } from "./sample.ts";
import type { Timed } from "./timed-command.ts";

/** One way to back a database up, with a repository of its own, for one round. */
export interface Arm {
  readonly name: ArmName;
  /** Backs up what the source holds now. */
  backUp(): Promise<Measured>;
  /** Restores its first backup into the empty database. */
  restore?(target: string): Promise<Measured>;
}

/** Bytes of all files under a folder. */
export const folderBytes = async (folder: string): Promise<number> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
};

/** Processor time of the database servers while `work` runs. */
export const withServerSeconds = async <T>(servers: readonly number[], work: () => Promise<T>): Promise<T & { serverSeconds: number }> => {
  const sum = (): number => servers.reduce((total, pid) => total + treeSeconds(pid), 0);
  const before = sum();
  const result = await work();
  return { ...result, serverSeconds: sum() - before };
};

/** What a command took that is all there is of its arm. */
export const measuredOf = ({ seconds, processorSeconds, peakMemory }: Timed): Omit<Measured, "serverSeconds"> => ({
  seconds,
  processorSeconds,
  peakMemory,
});
