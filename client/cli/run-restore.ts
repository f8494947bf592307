import type { DrillRate } from "../../core/catalog/drill-rate.ts";
import { formatDuration } from "../../core/domain/duration.ts";
import { failureTypes } from "../../core/domain/failure.ts";
import type { RestorePlan } from "../../core/snapshot/plan-restore.ts";
import type { RestoreJob } from "../../core/snapshot/restore-snapshot.ts";
import { openThreadPool, type ThreadPool } from "../../core/snapshot/thread-pool.ts";
import { exitCodes } from "./exit.ts";
import type { CommandInput } from "./program.ts";
import { bad, bold, dim, formatBytes, good, plural, say, table, utcSecond, warn } from "./terminal.ts";
import { openTransferProgress, type TransferProgress } from "./transfer-progress.ts";

/**
 * Runs a restore in this process, shows its progress, and prints what came of it; or, with `--dry-run`, what would. Used by
 * `restore` and `recover`. `rate` is what drills have measured, where that is known.
 */
export const runRestore = async (job: RestoreJob, input: CommandInput, rate: DrillRate | undefined): Promise<number> => {
  const threads = openThreadPool(1);
  const progress = openTransferProgress(!input.json);
  try {
    return input.options.dryRun === true
      ? await preview(threads, progress, job, input, rate)
      : await restore(threads, progress, job, input);
  } finally {
    progress.end();
    await threads.close();
  }
};

const restore = async (
  threads: ThreadPool,
  progress: TransferProgress,
  job: RestoreJob,
  { json, signal }: CommandInput,
): Promise<number> => {
  const result = await threads.run("restore", job, { signal, onProgress: progress.show });
  progress.end();
  const { snapshot, database, rows, bytes, resumed, seconds, identical, differences, damaged, notes } = result;
  if (json)
    process.stdout.write(
      `${JSON.stringify({ snapshot, database, rows, bytes, resumed, seconds, identical, differences, damaged, notes })}\n`,
    );
  else {
    say(
      `${identical ? good("✓") : bad("✗")} ${bold(database)} from ${bold(snapshot)}: ${plural(rows, "row")}, ${formatBytes(bytes)} in ${formatDuration(seconds * 1_000)}`,
    );
    if (resumed.bytes > 0) say(`  ${formatBytes(resumed.bytes)} of these were there from an earlier attempt`);
    say(identical ? "  read back and compared: identical" : "  read back and compared: it differs");
    for (const difference of differences) say(`  ${bad("✗")} ${difference}`);
    sayNotes(notes, damaged);
  }
  return identical ? exitCodes.done : exitCodes.verification;
};

const sayNotes = (notes: readonly string[], damaged: readonly string[]): void => {
  for (const note of notes) say(`  ${warn("!")} ${note}`);
  for (const copy of damaged) say(`  ${warn("!")} passed over a bad copy: ${copy}`);
};

const preview = async (
  threads: ThreadPool,
  progress: TransferProgress,
  job: RestoreJob,
  { json, signal }: CommandInput,
  rate: DrillRate | undefined,
): Promise<number> => {
  const plan = await threads.run("preview", job, { signal, onProgress: progress.show });
  progress.end();
  const estimate = rate === undefined ? null : { seconds: Math.ceil(plan.bytes / rate.bytesPerSecond), drills: rate.drills };
  if (json) {
    const { snapshot, database, capturedAt, rows, bytes, streams, creates, drops, notes, damaged, problem } = plan;
    process.stdout.write(
      `${JSON.stringify({ dryRun: true, snapshot, database, capturedAt, rows, bytes, estimate, streams, creates, drops, notes, damaged, problem })}\n`,
    );
  } else sayPlan(plan, estimate);
  return plan.problem === null ? exitCodes.done : failureTypes[plan.problem.type].exit;
};

const sayPlan = (plan: RestorePlan, estimate: { seconds: number; drills: number } | null): void => {
  const { database, snapshot, capturedAt, rows, bytes, streams, creates, drops, notes, damaged, problem } = plan;
  say(`${bold(database)} as of ${utcSecond(capturedAt)} UTC, from ${bold(snapshot)}; nothing was written`);
  if (streams.length > 0)
    say(
      table(
        ["would be written", "rows", "size"],
        streams.map((stream) => [stream.name, stream.rows.toLocaleString("en"), formatBytes(stream.bytes)]),
      ),
    );
  say(`  ${plural(rows, "row")}, ${formatBytes(bytes)}; ${timeFor(estimate)}`);
  if (creates.length > 0) say(`  created: ${creates.map(({ kind, count }) => `${count.toLocaleString("en")} ${kind}`).join(", ")}`);
  if (drops.length > 0)
    say(
      `  ${warn("!")} dropped first: ${drops.slice(0, shown).join(", ")}${drops.length > shown ? ` and ${drops.length - shown} more` : ""}`,
    );
  sayNotes(notes, damaged);
  if (problem === null) say(`${good("✓")} everything that is needed can be read, and the target takes it`);
  else say(`${bad("✗")} ${problem.message}\n  ${dim(failureTypes[problem.type].remedy)}`);
};

const shown = 10;

const timeFor = (estimate: { seconds: number; drills: number } | null): string =>
  estimate === null
    ? "no estimate of the time, since no drill has measured this database"
    : `about ${formatDuration(Math.max(1, estimate.seconds) * 1_000)}, at the rate of the last ${plural(estimate.drills, "drill")}`;
