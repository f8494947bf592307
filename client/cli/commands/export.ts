import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { Failure } from "../../../core/domain/failure.ts";
import { restoreSources } from "../../../core/site/restore-sources.ts";
import { openThreadPool } from "../../../core/snapshot/thread-pool.ts";
import { choiceOf } from "../choice-option.ts";
import { exitCodes } from "../exit.ts";
import { findSnapshot } from "../find-snapshot.ts";
import { withCatalog } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { bold, formatBytes, good, plural, say, warn } from "../terminal.ts";
import { openTransferProgress } from "../transfer-progress.ts";

export const action: CommandAction = async (input) => {
  const { out, store, database } = input.options;
  if (typeof out !== "string") throw new Failure("UsageInvalid", "export needs --out DIR, a new or empty folder");
  const choice = choiceOf(input);
  return await withCatalog(input, async (site) => {
    const record = await findSnapshot(site, input.args[0], database);
    const sources = await restoreSources(site, record.snapshot, record.database, { only: typeof store === "string" ? store : undefined });
    const threads = openThreadPool(1);
    const progress = openTransferProgress(!input.json);
    try {
      const job = { ...sources, folder: resolve(out), parallelism: availableParallelism(), choice };
      const result = await threads.run("export", job, { signal: input.signal, onProgress: progress.show });
      progress.end();
      if (input.json) process.stdout.write(`${JSON.stringify(result)}\n`);
      else {
        const { rows, bytes, folder, format, load, notes, damaged } = result;
        say(
          `${good("✓")} ${bold(result.database)} from ${bold(result.snapshot)}: ${plural(rows, "row")}, ${formatBytes(bytes)} in ${folder}`,
        );
        say(`  ${format}; load it with: ${load}`);
        say(`  ${warn("!")} these files are not encrypted: delete them when they have served`);
        for (const note of notes) say(`  ${warn("!")} ${note}`);
        for (const copy of damaged) say(`  ${warn("!")} passed over a bad copy: ${copy}`);
      }
      return exitCodes.done;
    } finally {
      progress.end();
      await threads.close();
    }
  });
};
