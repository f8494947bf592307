import { randomBytes } from "node:crypto";
import { pendingDeletions } from "../../../core/catalog/pending-deletions.ts";
import { sparseSummary } from "../../../core/catalog/sparse-packs.ts";
import { Failure } from "../../../core/domain/failure.ts";
import type { HoldChange } from "../../../core/domain/run.ts";
import { scheduleIds } from "../../../core/domain/schedules.ts";
import { approversInForce } from "../../../core/site/approvers-in-force.ts";
import { retentionPlanOf } from "../../../core/site/retention-plan.ts";
import { settleRules, shorteningOf } from "../../../core/site/rules-in-force.ts";
import type { Site } from "../../../core/site/site.ts";
import type { RetentionResult, retention } from "../../../workflows/retention.ts";
import { askApproval, reasonOption } from "../../ask-approval.ts";
import { changeHold } from "../../change-hold.ts";
import { awaitResult, requireWorkers, startOrJoin } from "../../run-workflow.ts";
import { approverOption } from "../approver-key-option.ts";
import { exitCodes } from "../exit.ts";
import { withCatalog, withOrchestrator } from "../open-site.ts";
import type { CommandAction, CommandInput } from "../program.ts";
import { sayAsked } from "../say-asked.ts";
import { sayPlan, sayRun, saySparse } from "../say-retention.ts";
import { snapshotArgument } from "../snapshot-argument.ts";
import { good, openProgress, say, utcMinute } from "../terminal.ts";
import { untilOption } from "../until-option.ts";

export const action: CommandAction = (input) => {
  switch (input.args[0]) {
    case "plan":
      return plan(input);
    case "run":
      return run(input);
    case "undo":
      return undo(input);
    case "shorten":
      return ask(input, "shorten");
    case "delete":
      return ask(input, "delete");
    default:
      throw new Failure("UsageInvalid", `retention knows plan, run, undo, shorten and delete (was given "${input.args[0]}")`);
  }
};

/** Shows each snapshot with the reasons why it stays or may go, and the sparse packs as the last run found them. Changes nothing. */
const plan = (input: CommandInput): Promise<number> =>
  withCatalog(input, async (site) => {
    const { database } = input.options;
    const names = typeof database === "string" ? [site.database(database).name] : site.loaded.config.databases.map(({ name }) => name);
    const plans = await Promise.all(names.map(async (name) => ({ database: name, ...(await retentionPlanOf(site, name, new Date())) })));
    const sparse = await sparseSummary(await site.catalog());
    if (input.json) process.stdout.write(`${JSON.stringify({ plans: plans.map(({ later: _, ...told }) => told), sparse })}\n`);
    else {
      for (const one of plans) sayPlan(one);
      saySparse(sparse);
    }
    return exitCodes.done;
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
    else sayRun(result);
    const whole = result.outOfReach === undefined && result.alarms === undefined && result.unprotected === undefined;
    return whole ? exitCodes.done : exitCodes.degraded;
  });

/** So long is what was taken back kept, unless told: time to decide about it. */
const undoneForMs = 30 * 24 * 60 * 60_000;

/** A hold on what is marked to go: without one, the next run would mark it again. */
const undo = (input: CommandInput): Promise<number> =>
  withOrchestrator(input, async (site, { client }) => {
    const snapshot = snapshotArgument(input.args[1]);
    const { by } = input.options;
    if (typeof by !== "string" || by.trim() === "") throw new Failure("UsageInvalid", "retention undo needs --by");
    if (!(await pendingDeletions(await site.catalog())).some((one) => one.snapshot === snapshot))
      throw new Failure("NameUnknown", `snapshot ${snapshot} is not marked to be deleted; dbgov retention plan shows those that are`);
    const now = new Date();
    const until = untilOption(input.options.until, now) ?? new Date(now.getTime() + undoneForMs).toISOString();
    const reason = typeof input.options.reason === "string" ? input.options.reason : "its deletion was undone";
    const hold: HoldChange = { id: `h-${randomBytes(4).toString("hex")}`, lifted: false, database: null, snapshot, reason, by, until };
    await changeHold(client, hold);
    if (input.json) process.stdout.write(`${JSON.stringify({ snapshot, hold: hold.id, until })}\n`);
    else say(`${good("✓")} ${snapshot} stays: hold ${hold.id} stands until ${utcMinute(until)} UTC`);
    return exitCodes.done;
  });

/** The first of two persons asks to keep less of a database, or nothing. */
const ask = (input: CommandInput, what: "shorten" | "delete"): Promise<number> =>
  withOrchestrator(input, async (site, { client }) => {
    const command = `retention ${what}`;
    const { database } = input.options;
    if (typeof database !== "string") throw new Failure("UsageInvalid", `${command} needs --database`);
    site.database(database);
    const signer = await approverOption(input);
    if (signer === undefined) throw await withoutKey(site, command);
    const reason = reasonOption(input.options.reason, command);
    const act = what === "delete" ? ({ act: "delete-database", database } as const) : await shortening(site, database);
    sayAsked(await askApproval(site, client, act, reason, signer), input.json);
    return exitCodes.done;
  });

const withoutKey = async (site: Site, command: string): Promise<Failure> =>
  (await approversInForce(site)).approvers.length === 0
    ? new Failure("ApprovalNeeded", `${command} takes two persons, and the configuration names no approvers`)
    : new Failure("UsageInvalid", `${command} needs --key, the file with your approver's secret`);

const shortening = async (site: Site, database: string) => {
  await settleRules(site, database);
  const { before, after, waiting } = await shorteningOf(site, database);
  if (waiting.length === 0)
    throw new Failure("UsageInvalid", `the configuration keeps nothing of ${database} for less than what is in force`);
  return { act: "shorten-retention", database, before, after } as const;
};
