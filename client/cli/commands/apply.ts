import { applySchedules, ensureSearchAttributes, planSchedules, type ScheduleChange } from "../../apply-schedules.ts";
import { logConfiguration } from "../../log-configuration.ts";
import { withOrchestrator } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { dim, good, say, table, warn } from "../terminal.ts";

export const action: CommandAction = (input) =>
  withOrchestrator(input, async (site, { client }) => {
    const plan = await planSchedules(client, site, input.options.prune === true);
    const dry = input.options.dryRun === true;
    if (!input.json) printPlan(plan);
    if (!dry) {
      await ensureSearchAttributes(client, site.loaded.config.temporal.namespace);
      await applySchedules(client, site, plan);
      await logConfiguration(client, site);
    }
    const changed = plan.filter(({ action }) => !["keep", "leave"].includes(action)).length;
    if (input.json) process.stdout.write(`${JSON.stringify({ applied: !dry, changes: plan })}\n`);
    else if (changed === 0) say(`${good("✓")} nothing to change`);
    else say(dry ? `${changed} changes; not applied (--dry-run)` : `${good("✓")} ${changed} changes applied`);
    return 0;
  });

const marks: Readonly<Record<ScheduleChange["action"], string>> = { create: "+", update: "~", keep: "=", delete: "-", leave: "?" };

const printPlan = (plan: readonly ScheduleChange[]): void => {
  say(
    table(
      ["", "schedule", "what"],
      plan.map(({ id, action, what }) => [
        marks[action],
        id,
        action === "leave" ? warn(`${what}; --prune deletes it`) : action === "keep" ? dim(what) : what,
      ]),
    ),
  );
};
