import { Failure } from "../../../core/domain/failure.ts";
import { rebuildCatalog } from "../../../core/site/rebuild/rebuild-catalog.ts";
import { exitCodes } from "../exit.ts";
import { withSite } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { dim, good, plural, say, warn } from "../terminal.ts";

export const action: CommandAction = (input) => {
  if (input.args[0] !== "rebuild") throw new Failure("UsageInvalid", `catalog takes rebuild (is "${input.args[0] ?? ""}")`);
  return withSite(input, async (site) => {
    const rebuilt = await rebuildCatalog(site, input.signal, (what) => {
      if (!input.json) process.stderr.write(dim(`${what}\n`));
    });
    if (input.json) process.stdout.write(`${JSON.stringify(rebuilt)}\n`);
    else {
      const { snapshots, removed, entries, anchors, timestamps, holds, missing } = rebuilt;
      say(
        `${good("✓")} ${plural(snapshots, "snapshot")} and ${removed} removed ones, ${plural(entries, "log entry", "log entries")}, ${plural(anchors, "anchor")}, ${plural(timestamps, "time stamp")}`,
      );
      for (const id of holds) say(warn(`  a legal hold stands, now as ${id}: the log does not have its reason`));
      for (const { what, reason } of missing) say(warn(`  ${what}: ${reason}`));
    }
    return rebuilt.missing.length === 0 ? exitCodes.done : exitCodes.degraded;
  });
};
