import { execFile } from "node:child_process";
import { mkdir, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Undoing } from "./undo.ts";

/** A file system of its own in a folder, where the right to mount one exists. */
export interface SmallDisk {
  readonly folder: string;
  /** Fills it, all but so many bytes. Does nothing where none could be mounted: the limit on file sizes is what is left of full disks then. */
  fill(left: number): Promise<void>;
  empty(): Promise<void>;
}

const execute = promisify(execFile);
const diskBytes = 256 << 20;

export const mountSmallDisk = async (folder: string, undoing: Undoing): Promise<SmallDisk> => {
  await mkdir(folder);
  const mounted = await execute("mount", ["-t", "tmpfs", "-o", `size=${diskBytes}`, "tmpfs", folder]).then(
    () => true,
    () => false,
  );
  if (mounted) undoing.add(() => execute("umount", ["--lazy", folder]));
  const filler = join(folder, "filler");
  return {
    folder,
    fill: async (left) => {
      if (!mounted) return;
      const { bavail, bsize } = await statfs(folder);
      // A file without holes, as a disk that others filled.
      await execute("fallocate", ["-l", String(Math.max(bsize, bavail * bsize - left)), filler]);
    },
    empty: () => rm(filler, { force: true }),
  };
};
