import { execFileSync } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import { loadTpch } from "../sample/tpch.ts";
import { progressToStderr } from "../stack/progress.ts";
import { stackDown, stackUp } from "../stack/stack.ts";
import { benchmarksChart, benchmarksDocument } from "./report.ts";
import { type Machine, type ScaleResult, summaryOf, tableOf, textTable } from "./results.ts";
import { type Bench, runRound } from "./rounds.ts";
import { timedCommand } from "./timed-command.ts";
import { customDumpCommand, findTools } from "./tools.ts";

/** `npm run bench`: measures against what a shell script would do, on a stack of its own, and writes `docs/benchmarks.md`. */
const root = join(import.meta.dirname, "..", "..");
const stackFolder = join(root, ".dbgov", "bench-stack");
const known = ["--quick", "--full", "--json"];
const given = process.argv.slice(2);
const unknown = given.find((option) => !known.includes(option));
if (unknown !== undefined) {
  process.stderr.write(`unknown option ${unknown}; there are ${known.join(", ")}\n`);
  process.exit(2);
}
const json = given.includes("--json");
const quick = given.includes("--quick");
const scales = quick ? [0.1] : [0.1, 0.5];
const rounds = given.includes("--full") ? 5 : 3;
const say = (text: string): void => void (json ? process.stderr : process.stdout).write(`${text}\n`);

/** TPC-H of the scale: what an earlier bench loaded, or loaded now. */
const tpchDatabase = async (server: string, scale: number): Promise<string> => {
  const name = `tpch_${scale}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    const { rows } = await client.query("SELECT FROM pg_database WHERE datname = $1", [name]);
    if (rows.length > 0) return url.href;
    say(`loading TPC-H of scale ${scale}`);
    // Under its name only when it is whole.
    await loadTpch(await createSampleDatabase(server, "tpch_loading"), scale);
    await client.query(`ALTER DATABASE tpch_loading RENAME TO ${pg.escapeIdentifier(name)}`);
    await client.query("CHECKPOINT");
    return url.href;
  } finally {
    await client.end();
  }
};

const stack = await stackUp({ folder: stackFolder, components: ["postgres", "temporal"], onProgress: progressToStderr });
const folder = join(root, ".dbgov", "bench");
try {
  await mkdir(folder, { recursive: true });
  const bench: Bench = { stack, tools: await findTools(stack.postgres.bin), folder, say };
  const databases: { scale: number; url: string }[] = [];
  for (const scale of scales) databases.push({ scale, url: await tpchDatabase(stack.postgres.url, scale) });
  const machine: Machine = {
    processor: cpus()[0]?.model.trim() ?? "an unknown processor",
    cores: cpus().length,
    memory: totalmem(),
    node: process.versions.node,
    postgres: execFileSync(join(stack.postgres.bin, "postgres"), ["--version"], { encoding: "utf8" }).trim().split(" ").at(-1) ?? "",
    rounds,
    date: new Date().toISOString().slice(0, 10),
    load: loadavg()[0] ?? 0,
  };
  const results: ScaleResult[] = [];
  for (const { scale, url } of databases) {
    const dump = join(folder, `custom-${scale}.dump`);
    await timedCommand(customDumpCommand(bench.tools, url, dump));
    const samples = [];
    for (let round = 1; round <= rounds; round += 1) {
      say(`scale ${scale}, round ${round} of ${rounds}`);
      samples.push(...(await runRound(bench, url, dump)));
    }
    results.push({ scale, samples });
    say(`\nscale ${scale}\n${textTable(tableOf(results.at(-1)!))}\n`);
  }
  if (!quick) {
    await writeFile(join(root, "docs", "benchmarks.md"), benchmarksDocument(results, machine));
    await writeFile(join(root, "docs", "benchmarks.svg"), benchmarksChart(results));
    say("written: docs/benchmarks.md, docs/benchmarks.svg");
  }
  if (json) process.stdout.write(`${JSON.stringify(summaryOf(results, machine))}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
  await stackDown(stackFolder);
}
