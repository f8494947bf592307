import { Failure } from "../../../core/domain/failure.ts";
import { scheduleIds } from "../../../core/domain/schedules.ts";
import { retentionPlanOf } from "../../../core/site/retention-plan.ts";
import type { RetentionResult, retention } from "../../../workflows/retention.ts";
import { awaitResult, requireWorkers, startOrJoin } from "../../run-workflow.ts";
import { exitCodes } from "../exit.ts";
import { withCatalog, withOrchestrator } from "../open-site.ts";
import type { CommandAction, CommandInput } from "../program.ts";
import { bad, bold, dim, good, openProgress, plural, say, table, utcMinute, warn } from "../terminal.ts";

export const action: CommandAction = (input) => {
  switch (input.args[0]) {
    case "plan":
      return plan(input);
    case "run":
      return run(input);
    default:
      throw new Failure("UsageInvalid", `retention knows plan and run (was given "${input.args[0]}")`);
  }
};

/** Shows each snapshot with the reasons why it stays or may go. Changes nothing. */
const plan = (input: CommandInput): Promise<number> =>
  withCatalog(input, async (site) => {
    const { database } = input.options;
    const names = typeof database === "string" ? [site.database(database).name] : site.loaded.config.databases.map(({ name }) => name);
    const plans = await Promise.all(names.map(async (name) => ({ database: name, ...(await retentionPlanOf(site, name, new Date())) })));
    if (input.json) process.stdout.write(`${JSON.stringify({ plans })}\n`);
    else {
      for (const { database: name, decisions, deletions } of plans) {
        say(`${bold(name)}: ${plural(decisions.length - deletions.length, "snapshot")} to keep, ${deletions.length} to delete`);
        if (decisions.length > 0) {
          say(
            table(
              ["", "snapshot", "captured (UTC)", "why"],
              decisions.map(({ snapshot, capturedAt, action: what, reasons }) => [
                what === "keep" ? good("keep") : bad("delete"),
                snapshot,
                utcMinute(capturedAt),
                dim(reasons.join(", ")),
              ]),
            ),
          );
        }
      }
    }
    return 0;
  });

const run = (input: CommandInput): Promise<number> =>
  withOrchestrator(input, async (site, { client }) => {
    await requireWorkers(client, ["orchestrate", "capture", "replicate", "chain"]);
    const databases = site.loaded.config.databases.map(({ name }) => name);
    const { handle } = await startOrJoin<typeof retention>(
      client,
      "retention",
      scheduleIds.retention,
      [{ databases }],
      "apply retention, by hand",
    );
    const progress = openProgress(!input.json);
    const result = await awaitResult<RetentionResult>(handle, async () => progress.update("applying retention")).finally(() =>
      progress.end(),
    );
    if (input.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else {
      say(`${good("✓")} ${plural(result.removed.length, "snapshot")} removed, ${plural(result.objectsDeleted, "object")} deleted`);
      for (const { store, objects } of result.outOfReach ?? [])
        say(`  ${warn("!")} ${plural(objects, "object")} cannot be deleted from ${store}, which is not configured any more`);
    }
    return result.outOfReach === undefined ? exitCodes.done : exitCodes.degraded;
  });
