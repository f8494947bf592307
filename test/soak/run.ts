import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { formatDuration } from "../../core/domain/duration.ts";
import { engineNames } from "../../core/domain/snapshot.ts";
import { handleBreakOff, undoOnBreakOff } from "../bench/break-off.ts";
import { findPostgresFolder } from "../stack/programs.ts";
import { progressToStderr } from "../stack/progress.ts";
import { stackDown, stackUp } from "../stack/stack.ts";
import { soak } from "./soak.ts";
import { summaryOf, textSummary } from "./summary.ts";

// `npm run soak [-- --engine E --rounds N --seed S --round R --lanes L --json]`: kills workers, databases, connections and disk space at random
// moments, on a stack of its own, and judges what is left. Exit code 1 when anything was as it must never be.

const refuse = (message: string): never => {
  process.stderr.write(`${message}\n`);
  process.exit(2);
};

const wholeNumber = (name: string, text: string): number =>
  /^[1-9]\d{0,8}$/.test(text) ? Number(text) : refuse(`--${name} must be a whole number from 1`);

const optionsOf = () => {
  try {
    const { values } = parseArgs({
      options: {
        engine: { type: "string", default: "postgres" },
        rounds: { type: "string", default: "200" },
        seed: { type: "string", default: String(1 + (Date.now() % 1_000_000)) },
        round: { type: "string" },
        lanes: { type: "string", default: "2" },
        json: { type: "boolean", default: false },
      },
    });
    const engine = engineNames.find((each) => each === values.engine) ?? refuse(`--engine must be one of ${engineNames.join(", ")}`);
    const count = wholeNumber("rounds", values.rounds);
    const rounds = values.round === undefined ? Array.from({ length: count }, (_, at) => at + 1) : [wholeNumber("round", values.round)];
    const lanes = Math.min(wholeNumber("lanes", values.lanes), rounds.length);
    return { engine, rounds, lanes, seed: wholeNumber("seed", values.seed), json: values.json };
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
};

const { json, ...options } = optionsOf();
const say = (text: string): void => void (json ? process.stderr : process.stdout).write(`${text}\n`);
const dotDbgov = join(import.meta.dirname, "..", "..", ".dbgov");
await mkdir(dotDbgov, { recursive: true });
// Of its own: another soak may be under way.
const folder = await mkdtemp(join(dotDbgov, "soak-"));
handleBreakOff();
undoOnBreakOff(() => stackDown(folder, { purge: true }));
const started = Date.now();
try {
  const stack = await stackUp({ folder, components: ["temporal"], onProgress: progressToStderr });
  say(
    `${options.engine}, seed ${options.seed}, ${options.rounds.length} rounds; one alone: npm run soak -- --engine ${options.engine} --seed ${options.seed} --round N`,
  );
  let count = 0;
  const result = await soak({
    ...options,
    temporal: stack.temporal.address,
    bin: await findPostgresFolder(progressToStderr),
    onRound: ({ round, work, fault, at, outcome, run, seconds }) => {
      count += 1;
      const what = `round ${round}, ${work}: ${fault} (at ${at})`;
      say(`${count}/${options.rounds.length} ${what} → ${outcome}; run: ${run}; ${seconds.toFixed(1)} s`);
    },
    onFailure: ({ round, work, fault, reason }) => say(`round ${round} (${work}: ${fault}) of seed ${options.seed} FAILED: ${reason}`),
  });
  say(textSummary(result));
  say(`${result.rounds.length} rounds passed, ${result.failed.length} failed, in ${formatDuration(Date.now() - started)}`);
  if (json) process.stdout.write(`${JSON.stringify({ engine: options.engine, seed: options.seed, ...summaryOf(result) })}\n`);
  process.exitCode = result.failed.length > 0 ? 1 : 0;
} finally {
  await stackDown(folder, { purge: true });
}
