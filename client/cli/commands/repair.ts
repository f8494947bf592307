import type { RepairResult } from "../../../core/domain/run.ts";
import { scheduleIds } from "../../../core/domain/schedules.ts";
import { doubtedBelow } from "../../../core/domain/store-trust.ts";
import { type DurabilityStatus, durabilityStatus } from "../../../core/site/durability-status.ts";
import type { repair } from "../../../workflows/repair.ts";
import { awaitResult, requireWorkers, startOrJoin } from "../../run-workflow.ts";
import { exitCodes } from "../exit.ts";
import { withCatalog, withOrchestrator } from "../open-site.ts";
import type { CommandAction, CommandInput } from "../program.ts";
import { bad, dim, good, openProgress, plural, say, table, utcMinute, warn } from "../terminal.ts";

export const action: CommandAction = (input) => (input.options.show === true ? show(input) : run(input));

const storeOf = ({ options: { store } }: CommandInput): string | undefined => (typeof store === "string" ? store : undefined);

/** What is known, without asking any store. */
const show = (input: CommandInput): Promise<number> =>
  withCatalog(input, async (site) => report(input, await durabilityStatus(site, storeOf(input))));

const run = (input: CommandInput): Promise<number> =>
  withOrchestrator(input, async (site, { client }) => {
    const store = storeOf(input);
    if (store !== undefined) await site.storeConfig(store);
    await requireWorkers(client, ["orchestrate", "replicate", "chain"]);
    // An id of its own: the part of all stores that is under way is not the whole of one that was asked for.
    const id = store === undefined ? scheduleIds.repair : `${scheduleIds.repair}/${store}`;
    const args: Parameters<typeof repair> = [store === undefined ? {} : { store }];
    const { handle } = await startOrJoin<typeof repair>(client, "repair", id, args, "challenge and repair copies, by hand");
    const progress = openProgress(!input.json);
    const result = await awaitResult<RepairResult>(handle, async () => progress.update("challenging copies")).finally(() => progress.end());
    return report(input, await durabilityStatus(site, store), result);
  });

const report = (input: CommandInput, status: DurabilityStatus, result?: RepairResult): number => {
  const standing = status.findings.filter(({ endedAt }) => endedAt === null);
  const code = standing.length > 0 || (result?.left ?? 0) > 0 ? exitCodes.degraded : exitCodes.done;
  if (input.json) {
    const pass = new Map((result?.stores ?? []).map((one) => [one.store, one]));
    const stores = status.stores.map((store) => ({ ...store, pass: pass.get(store.store) ?? null }));
    process.stdout.write(`${JSON.stringify({ ...status, stores, left: result?.left ?? null })}\n`);
    return code;
  }
  if (result !== undefined) sayPass(result);
  say(
    table(
      ["store", "trust", "copies", `proven within ${status.coverDays} days`, "oldest proof (UTC)", "bad"],
      status.stores.map(({ store, trust, copies, covered, oldest, lost }) => [
        store,
        trust < doubtedBelow ? warn(trust.toFixed(2)) : trust.toFixed(2),
        String(copies),
        String(covered),
        oldest === null ? dim("-") : utcMinute(oldest),
        lost > 0 ? bad(String(lost)) : "0",
      ]),
    ),
  );
  for (const { message, endedAt, outcome, repairedFrom } of status.findings) {
    if (endedAt === null) say(`${bad("✗")} ${message}`);
    else say(dim(`✓ ${message}: ${outcome}${repairedFrom === null ? "" : ` from ${repairedFrom}`} ${utcMinute(endedAt)}`));
  }
  for (const { store, what, until, fundedUntil, problem } of status.renewals) {
    const ends = [until === null ? "" : `until ${utcMinute(until)}`, fundedUntil === null ? "" : `funded until ${utcMinute(fundedUntil)}`];
    say(`${problem === null ? dim("·") : warn("!")} ${store}: ${[what, ...ends, problem ?? ""].filter((part) => part !== "").join(", ")}`);
  }
  return code;
};

const sayPass = ({ stores, left }: RepairResult): void => {
  for (const { store, asked, proven, blocks, found, repaired, log, stopped } of stores) {
    const mark = stopped !== undefined || found > 0 ? bad("✗") : good("✓");
    const replaced = repaired === 0 ? "" : `, ${repaired} replaced`;
    say(`${mark} ${store}: ${proven} of ${plural(asked, "copy", "copies")} proven by ${plural(blocks, "block")}, ${found} bad${replaced}`);
    if (log !== undefined && log.found > 0) say(`  ${bad("✗")} ${plural(log.found, "tile")} of the log's copy there had to be put right`);
    if (stopped !== undefined) say(`  ${warn("!")} ${stopped.message}`);
  }
  if (left > 0) say(`${bad("✗")} ${plural(left, "bad copy", "bad copies")} could not be replaced`);
};
