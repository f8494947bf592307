import { durationMs, formatDuration } from "../../../core/domain/duration.ts";
import type { BackupProgress, BackupResult } from "../../../core/domain/run.ts";
import { scheduleIds } from "../../../core/domain/schedules.ts";
import type { backup } from "../../../workflows/backup.ts";
import { backupInputOf } from "../../run-policy.ts";
import { awaitResult, requireWorkers, startOrJoin } from "../../run-workflow.ts";
import { captureProgress } from "../../watch-activities.ts";
import { exitCodes } from "../exit.ts";
import { withOrchestrator } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { bold, formatBytes, good, openProgress, plural, say, warn } from "../terminal.ts";

export const action: CommandAction = (input) =>
  withOrchestrator(input, async (site, { client }) => {
    const name = input.args[0] as string;
    const backupInput = { ...backupInputOf(site, name), full: input.options.full === true };
    await requireWorkers(client, ["orchestrate", "capture", "replicate", "chain"]);
    const { handle, joined } = await startOrJoin<typeof backup>(
      client,
      "backup",
      scheduleIds.backup(name),
      [backupInput],
      `back up ${name}, by hand`,
    );
    const progress = openProgress(!input.json);
    if (joined && !input.json) process.stderr.write(`a backup of ${name} is under way: watching it\n`);
    const look = async (): Promise<void> => {
      if (!progress.live) return;
      const at = (await handle.query("progress")) as BackupProgress;
      const capture = at.step === "capturing" ? await captureProgress(handle) : undefined;
      progress.update(progressLine(name, at, capture?.bytes));
    };
    const silent = (): void => progress.update(`${name}: no worker answers; the run goes on once one does (dbgov worker)`);
    const result = await awaitResult<BackupResult>(handle, look, silent).finally(() => progress.end());
    if (input.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else printResult(result, durationMs(site.policyOf(name).objectives.recoveryPoint));
    return result.degraded ? exitCodes.degraded : exitCodes.done;
  });

const progressLine = (name: string, { step, batches, batchesDone, estimatedBytes, storesDone }: BackupProgress, running = 0): string => {
  if (step === "capturing") {
    const done = batches === 0 ? 0 : (batchesDone / batches) * estimatedBytes + running;
    return `${name}: capturing, about ${formatBytes(Math.min(done, estimatedBytes))} of ${formatBytes(estimatedBytes)} (batch ${batchesDone} of ${batches})`;
  }
  if (step === "replicating") return `${name}: replicating${storesDone.length > 0 ? ` (done: ${storesDone.join(", ")})` : ""}`;
  return `${name}: ${step}`;
};

const printResult = (result: BackupResult, recoveryPointMs: number): void => {
  const { snapshot, database, degraded, rows, bytes, seconds, replicas, logIndex } = result;
  say(
    `${degraded ? warn("!") : good("✓")} ${bold(database)}  snapshot ${bold(snapshot)} in ${formatDuration(seconds * 1_000)}${degraded ? warn("  degraded: a store did not take part") : ""}`,
  );
  say(
    `  ${plural(rows, "row")}; ${formatBytes(bytes.read)} read, ${formatBytes(bytes.new)} of it new, ${formatBytes(bytes.stored)} stored`,
  );
  const width = Math.max(...replicas.map(({ store }) => store.length));
  for (const { store, packs, verified } of replicas) say(`  ${store.padEnd(width)}  ${plural(packs, "pack")}, ${verified} read back`);
  say(`  log entry ${logIndex}; the next backup is due within ${formatDuration(recoveryPointMs)}`);
};
