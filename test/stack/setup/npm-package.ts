import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { Installation } from "./cache.ts";
import { runCommand } from "./run-command.ts";

const files = ["package.json", "package-lock.json", ".npmrc"];

/**
 * An npm package with a lock file of its own (`test/stack/COMPONENT`), outside the project's node_modules: its
 * dependencies are old or many. None of the install scripts in these trees is needed.
 */
const npmInstallation = (component: string, version: string, what: string): Installation => {
  const folder = join(import.meta.dirname, "..", component);
  const hash = createHash("sha256");
  for (const name of files) hash.update(readFileSync(join(folder, name)));
  return {
    component,
    folder: `${component}-${version}-${hash.digest("hex").slice(0, 8)}`,
    announcement: `installing ${what} with npm`,
    fill: async (into, progress) => {
      for (const name of files) await copyFile(join(folder, name), join(into, name));
      const args = ["ci", "--ignore-scripts", "--no-progress"];
      await runCommand({ component, doing: "npm ci", command: "npm", args, cwd: into, growing: into }, progress);
    },
  };
};

export const arlocalInstallation = (): Installation => npmInstallation("arlocal", "1.1.66", "arlocal 1.1.66: the Arweave gateway");

export const cosmosInstallation = (): Installation =>
  npmInstallation("cosmos", "1.0.1", "@vercel/cosmosdb-server 1.0.1: the Cosmos DB emulator");
