import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Installation } from "./cache.ts";
import { runCommand } from "./run-command.ts";
import { findPython } from "./wheels.ts";

const secantusRequirements = join(import.meta.dirname, "..", "secantus", "requirements.txt");

/** SecantusDB in Python, with what it imports, installed by pip into a folder of its own from files that are pinned by hash. */
export const secantusInstallation = (): Installation => ({
  component: "secantus",
  folder: `secantus-0.7.0b3-${createHash("sha256").update(readFileSync(secantusRequirements)).digest("hex").slice(0, 8)}`,
  announcement: "installing SecantusDB 0.7.0b3 from the Python package index: a MongoDB wire server with change streams",
  fill: async (into, progress) => {
    const command = await findPython("secantus", progress);
    const pins = ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", secantusRequirements];
    const args = ["-m", "pip", "install", "--quiet", "--no-warn-conflicts", "--target", into, ...pins];
    const env = { PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_ROOT_USER_ACTION: "ignore" };
    await runCommand({ component: "secantus", doing: "installing SecantusDB", command, args, env, growing: into }, progress);
  },
});
