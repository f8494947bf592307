import { execFileSync } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { formatDuration } from "../../core/domain/duration.ts";
import { progressToStderr } from "../stack/progress.ts";
import { stackDown, stackStatus, stackUp } from "../stack/stack.ts";
import { beAlone } from "./alone.ts";
import { handleBreakOff, undoOnBreakOff } from "./break-off.ts";
import { benchmarksChart } from "./chart.ts";
import type { DataSet } from "./data-set.ts";
import { documentsData } from "./documents-data.ts";
import { mongodbData } from "./mongodb-data.ts";
import { parseOptions } from "./options.ts";
import { benchmarksDocument, type Machine } from "./report.ts";
import { type DataSetResult, summaryOf, tableOf, textTable } from "./results.ts";
import { type Bench, runRound, type Source } from "./rounds.ts";
import { targetsOf, targetTable } from "./targets.ts";
import { timedCommand } from "./timed-command.ts";
import { customDumpCommand, findTools } from "./tools.ts";
import { tpchData } from "./tpch-data.ts";

/** `npm run bench`: measures against what else there is, on a stack of its own, and writes `docs/benchmarks.md`. */
const root = join(import.meta.dirname, "..", "..");
const stackFolder = join(root, ".dbgov", "bench-stack");
/** The data set of the summary and of the chart, and the same in small, by which it is told whether memory is flat. */
const main = "tpch-0.5";
const small = "tpch-0.1";
const options = parseOptions(process.argv.slice(2), { all: [small, main, "pgbench", "mongodb"], quick: [main] });
const say = (text: string): void => void (options.json ? process.stderr : process.stdout).write(`${text}\n`);

const withMongodb = options.dataSets.includes("mongodb");
await beAlone(join(root, ".dbgov", "bench.lock"));
handleBreakOff();
const folder = join(root, ".dbgov", "bench");
const started = Date.now();
undoOnBreakOff(() => stackDown(stackFolder));
undoOnBreakOff(() => rm(folder, { recursive: true, force: true }));
const stack = await stackUp({
  folder: stackFolder,
  components: ["postgres", "temporal", ...(withMongodb ? (["secantus"] as const) : [])],
  onProgress: progressToStderr,
});

const dataSetOf = (name: string): DataSet => {
  if (name === "pgbench") return documentsData(stack.postgres.url, stack.postgres.bin);
  if (name === "mongodb") return mongodbData(stack.secantus.url);
  return name === main ? tpchData(stack.postgres.url, 0.5) : tpchData(stack.postgres.url, 0.1, ["full", "unchanged"]);
};

const pidOf = async (component: string): Promise<number> =>
  (await stackStatus(stackFolder)).find((status) => status.component === component)?.pid ?? 0;

const measure = async (bench: Bench, data: DataSet): Promise<DataSetResult> => {
  say(`${data.title}: loading what is not there yet`);
  await data.load();
  const customDump = join(folder, "custom.dump");
  if (data.name !== "mongodb" && data.only === undefined)
    await timedCommand(customDumpCommand(bench.tools, (await data.reset()).url, customDump));
  const samples = [];
  const of = Math.min(options.rounds, data.mostRounds ?? options.rounds);
  for (let number = 1; number <= of; number += 1) {
    say(`${data.title}, round ${number} of ${of}, after ${formatDuration(Date.now() - started)}`);
    samples.push(...(await runRound(bench, data, { number, of }, customDump)));
  }
  return { name: data.name, title: data.title, rounds: of, changes: data.only === undefined ? data.changes : {}, samples };
};

try {
  await mkdir(folder, { recursive: true });
  const [postgres, temporalPid] = [await pidOf("postgres"), await pidOf("temporal")];
  const mongodb = withMongodb ? await pidOf("secantus") : 0;
  const bench: Bench = {
    ...{ stack, tools: await findTools(stack.postgres.bin, withMongodb), folder, quick: options.quick, temporalPid, say },
    serversOf: (engine: Source["engine"]) => (engine === "postgres" ? [postgres] : [postgres, mongodb]),
  };
  const machine: Machine = {
    processor: cpus()[0]?.model.trim() ?? "an unknown processor",
    cores: cpus().length,
    memory: totalmem(),
    node: process.versions.node,
    postgres: execFileSync(join(stack.postgres.bin, "postgres"), ["--version"], { encoding: "utf8" }).trim().split(" ").at(-1) ?? "",
    date: new Date().toISOString().slice(0, 10),
    load: loadavg()[0] ?? 0,
  };
  const results: DataSetResult[] = [];
  const smallerOf = ({ name }: DataSetResult) => (name === main ? results.find((result) => result.name === small) : undefined);
  for (const name of options.dataSets) {
    const result = await measure(bench, dataSetOf(name));
    results.push(result);
    say(`\n${result.title}\n${textTable(tableOf(result))}\n\n${textTable(targetTable(targetsOf(result, smallerOf(result))))}\n`);
  }
  const summarized = results.find(({ name }) => name === main) ?? results.at(-1)!;
  if (options.write) {
    await writeFile(join(root, "docs", "benchmarks.md"), benchmarksDocument(results, smallerOf, machine));
    await writeFile(join(root, "docs", "benchmarks.svg"), benchmarksChart(summarized));
    say("written: docs/benchmarks.md, docs/benchmarks.svg");
  }
  say(`all of it took ${formatDuration(Date.now() - started)}`);
  if (options.json) process.stdout.write(`${JSON.stringify(summaryOf(summarized))}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
  await stackDown(stackFolder);
}
