import { join } from "node:path";
import type { Progress } from "../progress.ts";
import { runCommand } from "./run-command.ts";
import { type Wheel, wheelInstallation } from "./wheels.ts";

/** Zig, whose executable is a whole C compiler with headers and libraries: for machines that have none. */
const zigWheel: Wheel = {
  component: "storj",
  package: "ziglang",
  version: "0.17.0",
  why: "a C compiler, which this machine lacks",
  programs: "ziglang",
  variable: "CC",
  hashes: {
    "linux-x64": "97079827064a7492cce5541ceb438ae8003ce1e54e399676da2d62fb7a5dc08b",
    "linux-arm64": "d2804f94f54f7fcf8169f4b212a619ad688a4e2e6592e976f0cf2e58e2cd8af3",
  },
};

/**
 * The environment in which Go finds a C compiler: `CC`, else one on the PATH, else one that is fetched into `temporary`.
 * Throws ClientToolMissing where none is to be had.
 */
export const withCompiler = async (component: string, temporary: string, progress: Progress): Promise<Record<string, string>> => {
  const named = process.env.CC;
  if (named !== undefined && named !== "") return { CC: named };
  for (const command of ["cc", "gcc", "clang"]) {
    const works = await runCommand({ component, doing: "looking for a C compiler", command, args: ["--version"] }, progress).then(
      () => true,
      () => false,
    );
    if (works) return { CC: command };
  }
  await wheelInstallation({ ...zigWheel, component }).fill(temporary, progress);
  return { CC: `${join(temporary, zigWheel.programs, "zig")} cc`, ZIG_GLOBAL_CACHE_DIR: join(temporary, "cache") };
};
