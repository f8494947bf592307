import { spawnSync } from "node:child_process";
import { join } from "node:path";

// `npm run check`: types, format and lint, arrows between folders, dead code. All of them run, also after one has failed.

const root = join(import.meta.dirname, "..");
const tool = (name: string) => join(root, "node_modules", ".bin", name);

const steps: readonly [name: string, command: string, ...args: string[]][] = [
  ["types", tool("tsc"), "-p", "."],
  ["types of the page", tool("tsc"), "-p", join("client", "audit-page", "browser")],
  ["format and lint", tool("biome"), "check", "--error-on-warnings", "--no-errors-on-unmatched", "."],
  ["arrows", process.execPath, join("test", "check-arrows.ts")],
  ["dead code", tool("knip")],
];

const failed = steps.filter(([name, command, ...args]) => {
  process.stdout.write(`── ${name}\n`);
  return spawnSync(command, args, { cwd: root, stdio: "inherit" }).status !== 0;
});
process.stdout.write(failed.length === 0 ? "check: all clean\n" : `check: failed: ${failed.map(([name]) => name).join(", ")}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
