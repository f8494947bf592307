import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { Failure } from "../../../core/domain/failure.ts";
import type { Progress } from "../progress.ts";
import { runCommand } from "./run-command.ts";

const names = ["chromium", "chromium-browser", "google-chrome"];

const onPath = async (): Promise<string | undefined> => {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name);
      const runs = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (runs) return path;
    }
  }
  return undefined;
};

/**
 * Path of Chromium: `DBGOV_CHROMIUM_BIN`, else the PATH, else Debian's package, which apt installs on the system: a browser finds its own parts by
 * where it lies, so it cannot be unpacked beside it. Throws `ClientToolMissing` where that is not possible.
 */
export const findChromium = async (progress: Progress): Promise<string> => {
  const named = process.env.DBGOV_CHROMIUM_BIN;
  const found = named !== undefined && named !== "" ? named : await onPath();
  if (found !== undefined) return found;
  if (process.getuid?.() !== 0) {
    throw new Failure("ClientToolMissing", "the tests of the page need Chromium; install it, or point DBGOV_CHROMIUM_BIN at it");
  }
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const apt = (doing: string, ...args: readonly string[]) =>
    runCommand({ component: "chromium", doing, command: "apt-get", args: ["-q", ...args], env }, progress);
  await apt("reading Debian's list of packages", "update");
  await apt("installing Chromium", "install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core");
  const installed = await onPath();
  if (installed === undefined) throw new Failure("ClientToolMissing", "chromium: apt-get has installed it, and it is not on the PATH");
  return installed;
};
