import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { Installation } from "./cache.ts";
import { runCommand } from "./run-command.ts";

const folder = join(import.meta.dirname, "..", "arlocal");
const files = ["package.json", "package-lock.json", ".npmrc"];

/** arlocal with its own lock file, outside the project's node_modules: its dependencies are old and many. */
export const arlocalInstallation = (): Installation => {
  const hash = createHash("sha256");
  for (const name of files) hash.update(readFileSync(join(folder, name)));
  return {
    component: "arlocal",
    folder: `arlocal-1.1.66-${hash.digest("hex").slice(0, 8)}`,
    announcement: "installing arlocal 1.1.66 with npm: the Arweave gateway",
    fill: async (into, progress) => {
      for (const name of files) await copyFile(join(folder, name), join(into, name));
      // None of the install scripts in that tree is needed: what they would compile is optional, or replaced (sqlite.cjs).
      const args = ["ci", "--ignore-scripts", "--no-progress"];
      await runCommand({ component: "arlocal", doing: "npm ci", command: "npm", args, cwd: into, growing: into }, progress);
    },
  };
};
