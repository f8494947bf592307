import { mkdir, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import pg from "pg";
import { formatDuration } from "../../core/domain/duration.ts";
import { beAlone } from "../bench/alone.ts";
import { handleBreakOff, undoOnBreakOff } from "../bench/break-off.ts";
import { makeNamespace } from "../sample/test-site.ts";
import { progressToStderr } from "../stack/progress.ts";
import { stackDown, stackUp, startComponent, stopComponent } from "../stack/stack.ts";
import { knownChunks } from "./known-chunks.ts";
import { manyTables } from "./many-tables.ts";
import { manyNights } from "./nights.ts";
import { placementPlan } from "./placement-plan.ts";
import { repairPass } from "./repair-pass.ts";
import { scaleDocument } from "./report.ts";
import { type Ground, holds, type SimulationResult } from "./simulation.ts";

/**
 * `npm run scale [-- NAME …]`: simulates what is too big to be had here, on a stack of its own, and writes `docs/scale.md` when all of
 * it ran. Exit code 1 when something does not hold. About twenty-five minutes, and 10 GB of disk.
 */
const simulations: Readonly<Record<string, (ground: Ground) => Promise<SimulationResult>>> = {
  tables: (ground) => manyTables(ground, 20_000),
  chunks: (ground) => knownChunks(ground, 20_000_000),
  repair: (ground) => repairPass(ground, 50_000),
  placement: (ground) => placementPlan(ground, 50_000),
  nights: (ground) => manyNights(ground, { databases: 1_000, real: 20, nights: 1, everySeconds: 900, jitterSeconds: 600 }),
};

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(simulations);
const unknown = names.find((name) => simulations[name] === undefined);
if (unknown !== undefined) {
  process.stderr.write(`there is no simulation ${unknown}; there are ${Object.keys(simulations).join(", ")}\n`);
  process.exit(2);
}

const root = join(import.meta.dirname, "..", "..");
const stackFolder = join(root, ".dbgov", "scale-stack");
const folder = join(root, ".dbgov", "scale");
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const cleanUp = async (): Promise<void> => {
  await rm(folder, { recursive: true, force: true });
  await stackDown(stackFolder, { purge: true });
};

/** `pg_dump` locks every table that it dumps: where there are 20,000, the server has to be told. */
const allowManyLocks = async (url: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("ALTER SYSTEM SET max_locks_per_transaction = 512");
  await client.end();
  await stopComponent("postgres", stackFolder);
  await startComponent("postgres", stackFolder);
};

await beAlone(join(root, ".dbgov", "scale.lock"));
handleBreakOff();
undoOnBreakOff(cleanUp);
const started = Date.now();
const [others = 0] = loadavg();
try {
  const stack = await stackUp({ folder: stackFolder, components: ["postgres", "temporal"], onProgress: progressToStderr });
  await allowManyLocks(stack.postgres.url);
  await mkdir(folder, { recursive: true });
  const results: SimulationResult[] = [];
  for (const name of names) {
    const since = Date.now();
    say(`${name} (${results.length + 1} of ${names.length}), after ${formatDuration(since - started)}`);
    const namespace = `scale-${name}`;
    const connection = await Connection.connect({ address: stack.temporal.address });
    await makeNamespace(new Client({ connection, namespace }), namespace);
    await connection.close();
    const { said, ...found } = await simulations[name]!({
      ...{ stack, folder, name: namespace },
      say: (text) => say(`  ${formatDuration(Date.now() - since).padStart(12)}  ${text}`),
    });
    const took = `Setting it up and running it took ${formatDuration(Date.now() - since)}.`;
    const result: SimulationResult = { ...found, said: [...said, took] };
    results.push(result);
    say([result.title, ...result.said].map((line) => `  ${line}`).join("\n"));
    for (const bound of result.bounds)
      say(`  ${holds(bound) ? "holds" : "DOES NOT HOLD"}: ${bound.what}: ${bound.value.toFixed(1)} ${bound.unit}, at most ${bound.limit}`);
  }
  if (names.length === Object.keys(simulations).length) {
    const machine = `${cpus().length} cores of ${cpus()[0]?.model.trim() ?? "an unknown processor"} with ${(totalmem() / 1e9).toFixed(0)} GB of memory`;
    const date = new Date().toISOString().slice(0, 10);
    await writeFile(join(root, "docs", "scale.md"), scaleDocument(results, { machine, others, date }));
    say("written: docs/scale.md");
  }
  if (!results.every(({ bounds }) => bounds.every(holds))) process.exitCode = 1;
} finally {
  await cleanUp();
}
