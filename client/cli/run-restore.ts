import { formatDuration } from "../../core/domain/duration.ts";
import type { RestoreJob } from "../../core/snapshot/restore-snapshot.ts";
import { openThreadPool } from "../../core/snapshot/thread-pool.ts";
import { exitCodes } from "./exit.ts";
import type { CommandInput } from "./program.ts";
import { bad, bold, formatBytes, good, openProgress, plural, say, warn } from "./terminal.ts";

/** Runs a restore in this process, shows its progress, and prints what came of it. Used by `restore` and `recover`. */
export const runRestore = async (job: RestoreJob, { json, signal }: Pick<CommandInput, "json" | "signal">): Promise<number> => {
  const threads = openThreadPool(1);
  const progress = openProgress(!json);
  const started = performance.now();
  try {
    const result = await threads.run("restore", job, {
      signal,
      onProgress: ({ bytes, current }) => {
        const seconds = (performance.now() - started) / 1_000;
        progress.update(`${formatBytes(bytes)} at ${formatBytes(Math.round(bytes / seconds))}/s  ${current}`);
      },
    });
    progress.end();
    const { snapshot, database, rows, bytes, seconds, identical, differences, damaged, notes } = result;
    if (json)
      process.stdout.write(`${JSON.stringify({ snapshot, database, rows, bytes, seconds, identical, differences, damaged, notes })}\n`);
    else {
      say(
        `${identical ? good("✓") : bad("✗")} ${bold(database)} from ${bold(snapshot)}: ${plural(rows, "row")}, ${formatBytes(bytes)} in ${formatDuration(seconds * 1_000)}`,
      );
      say(identical ? "  read back and compared: identical" : "  read back and compared: it differs");
      for (const difference of differences) say(`  ${bad("✗")} ${difference}`);
      for (const note of notes) say(`  ${warn("!")} ${note}`);
      for (const copy of damaged) say(`  ${warn("!")} passed over a bad copy: ${copy}`);
    }
    return identical ? exitCodes.done : exitCodes.verification;
  } finally {
    progress.end();
    await threads.close();
  }
};
