import { existsSync, readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "node:test";
import { inspect } from "node:util";
import { formatDuration } from "../core/domain/duration.ts";
import { Failure, isFailure } from "../core/domain/failure.ts";
import { type Counts, createReport } from "./report.ts";
import { type ComponentName, componentNames } from "./stack/components.ts";
import { withLock } from "./stack/lock.ts";
import { progressToStderr } from "./stack/progress.ts";
import { stackDown, stackStatus, stackUp } from "./stack/stack.ts";
import { testStackFolder } from "./stack/use-stack.ts";

// `npm test [-- PART_OF_PATH …]`: sets up, starts the real servers that the chosen test files use, runs these files two at
// a time, stops the servers whatever happens, and ends with one line that counts.

const root = join(import.meta.dirname, "..");
const concurrency = 2;
/** A file that keeps its process alive after its last test would otherwise hold up the run for good. */
const silenceLimitMs = 10 * 60_000;

const testFiles = async (filters: readonly string[]): Promise<string[]> => {
  const all: string[] = [];
  for await (const file of glob("test/**/*.test.ts", { cwd: root, exclude: (name) => name === "node_modules" })) all.push(file);
  return all.filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter))).sort();
};

/** The files, and all of this folder that they import. */
const withImports = (files: readonly string[], seen: Map<string, string> = new Map()): Map<string, string> => {
  for (const file of files) {
    if (seen.has(file) || !file.startsWith("test/")) continue;
    const text = readFileSync(join(root, file), "utf8");
    seen.set(file, text);
    const imported = [...text.matchAll(/^(?:import|export|\}) .*from "(\.\.?\/[^"]+\.ts)";$/gm)].map((match) =>
      join(dirname(file), match[1]!),
    );
    withImports(imported, seen);
  }
  return seen;
};

/** The components that test files, or what they import, name in a call of `useStack`. */
const componentsUsed = (files: readonly string[]): ComponentName[] => {
  const text = [...withImports(files).values()].join("\n");
  const calls = [...text.matchAll(/useStack\(([^)]*)\)/g)].map((match) => match[1]).join();
  return componentNames.filter((name) => calls.includes(`"${name}"`));
};

/**
 * Servers left over by a test run by hand are used as they are; otherwise the stack begins empty. A component that cannot be had costs the
 * tests that use it, each of which fails with the reason, and no others.
 */
const startStack = async (names: readonly ComponentName[]): Promise<void> => {
  if (names.length === 0) return;
  if (existsSync(testStackFolder) && (await stackStatus(testStackFolder)).every(({ state }) => state === "stopped"))
    await stackDown(testStackFolder, { purge: true });
  const start = async (components: readonly ComponentName[]): Promise<void> => {
    const addresses = await stackUp({ folder: testStackFolder, components, onProgress: progressToStderr });
    if (components.includes("postgres")) process.env.DBGOV_PG_BIN ??= addresses.postgres.bin;
  };
  const complain = (error: unknown): void => void process.stderr.write(`${isFailure(error) ? error.message : inspect(error)}\n`);
  try {
    await start(names);
  } catch (error) {
    complain(error);
    for (const name of names) await start([name]).catch(complain);
  }
};

const runFiles = async (files: readonly string[]): Promise<Counts> => {
  const report = createReport(root, (line) => process.stdout.write(`${line}\n`));
  const silent = new AbortController();
  const giveUp = () => {
    process.stderr.write(`nothing was heard of these for ${formatDuration(silenceLimitMs)}: ${report.unfinished(files).join(", ")}\n`);
    silent.abort();
  };
  let patience = setTimeout(giveUp, silenceLimitMs);
  const events = run({
    files: files.map((file) => join(root, file)),
    cwd: root,
    concurrency,
    isolation: "process",
    signal: silent.signal,
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  for await (const event of events) {
    clearTimeout(patience);
    patience = setTimeout(giveUp, silenceLimitMs);
    report.take(event);
  }
  clearTimeout(patience);
  return report.finish();
};

const testAll = async (): Promise<Counts> => {
  const filters = process.argv.slice(2);
  const files = await testFiles(filters);
  if (files.length === 0) throw new Failure("UsageInvalid", `no test file's path contains ${filters.join(" or ")}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void stackDown(testStackFolder).finally(() => process.exit(signal === "SIGINT" ? 130 : 143)));
  let counts: Counts | undefined;
  const started = Date.now();
  try {
    await startStack(componentsUsed(files));
    counts = await runFiles(files);
  } finally {
    // After a failure the data and logs stay to be looked at; the next run begins empty.
    await stackDown(testStackFolder, { purge: counts?.failed === 0 });
    process.stderr.write(`${files.length} files took ${formatDuration(Date.now() - started)}; their servers are stopped\n`);
  }
  return counts;
};

/** The last line: a run that broke off before its tests counts as one that failed. */
const end = (counts: Counts): void => {
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ""}\n`);
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
};

const onWait = () => process.stderr.write("another test run is under way in this folder; waiting for it\n");
end(
  await withLock(join(root, ".dbgov", "test-run.lock"), testAll, onWait).catch((error: unknown) => {
    process.stderr.write(`${isFailure(error) ? error.message : inspect(error)}\n`);
    return { passed: 0, failed: 1, skipped: 0 };
  }),
);
