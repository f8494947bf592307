import { formatDuration } from "../../../core/domain/duration.ts";
import type { DrillResult } from "../../../core/domain/run.ts";
import { scheduleIds } from "../../../core/domain/schedules.ts";
import type { drill } from "../../../workflows/drill.ts";
import { awaitResult, requireWorkers, startOrJoin } from "../../run-workflow.ts";
import { captureProgress } from "../../watch-activities.ts";
import { withOrchestrator } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { snapshotArgument } from "../snapshot-argument.ts";
import { bold, formatBytes, good, openProgress, plural, say } from "../terminal.ts";

export const action: CommandAction = (input) =>
  withOrchestrator(input, async (site, { client }) => {
    const { name, engine } = site.database(input.args[0] as string);
    await requireWorkers(client, ["orchestrate", "capture", "restore", "chain"]);
    const { snapshot } = input.options;
    const args = [{ database: name, engine, ...(snapshot === undefined ? {} : { snapshot: snapshotArgument(snapshot) }) }] as const;
    const { handle } = await startOrJoin<typeof drill>(client, "drill", scheduleIds.drill(name), [...args], `drill ${name}, by hand`);
    const progress = openProgress(!input.json);
    const result = await awaitResult<DrillResult>(handle, async () => {
      progress.update(`${name}: ${formatBytes((await captureProgress(handle)).bytes)} restored`);
    }).finally(() => progress.end());
    if (input.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else {
      say(`${good("✓")} ${bold(name)}: ${result.snapshot} restored in ${formatDuration(result.seconds * 1_000)} and compared, identical`);
      say(`  ${plural(result.rows, "row")}, ${formatBytes(result.bytes)}; the scratch database is dropped`);
    }
    return 0;
  });
