import type { DatabasePlan } from "../../core/site/retention-plan.ts";
import type { RetentionResult } from "../../workflows/retention.ts";
import { bad, bold, dim, good, plural, say, table, utcMinute, warn } from "./terminal.ts";

/** What retention would do, and what it did, for people. */

export const sayPlan = ({
  database,
  decisions,
  deletions,
  pending,
  alarm,
  waiting,
}: DatabasePlan & { readonly database: string }): void => {
  const dueAt = new Map(pending.map((one) => [one.snapshot, one.dueAt]));
  say(`${bold(database)}: ${plural(decisions.length - deletions.length, "snapshot")} to keep, ${deletions.length} to delete`);
  if (alarm !== undefined) say(`  ${bad("!")} nothing goes: ${alarm.message}`);
  if (waiting.length > 0)
    say(`  ${warn("!")} to be kept for less, once two persons agree (dbgov retention shorten): ${waiting.join(", ")}`);
  if (decisions.length === 0) return;
  say(
    table(
      ["", "snapshot", "captured (UTC)", "goes (UTC)", "why"],
      decisions.map(({ snapshot, capturedAt, action, reasons }) => [
        action === "keep" ? good("keep") : bad("delete"),
        ...[snapshot, utcMinute(capturedAt), dueAt.has(snapshot) ? utcMinute(dueAt.get(snapshot) ?? "") : "", dim(reasons.join(", "))],
      ]),
    ),
  );
};

export const sayRun = ({
  removed,
  objectsDeleted,
  outOfReach = [],
  retained = [],
  alarms = [],
  waiting = [],
  unprotected = [],
}: RetentionResult): void => {
  say(`${good("✓")} ${plural(removed.length, "snapshot")} removed, ${plural(objectsDeleted, "object")} deleted`);
  for (const { database, message } of alarms) say(`  ${bad("!")} nothing of ${database} goes: ${message}`);
  for (const { database, changes } of waiting) say(`  ${warn("!")} ${database} waits for two persons: ${changes.join(", ")}`);
  for (const { message } of unprotected) say(`  ${warn("!")} not locked, held or moved to its tier: ${message}`);
  for (const { store, objects, until } of retained)
    say(`  ${dim(`${store} keeps ${plural(objects, "object")} for now${until === null ? "" : `, until ${utcMinute(until)}`}`)}`);
  for (const { store, objects } of outOfReach)
    say(`  ${warn("!")} ${plural(objects, "object")} cannot be deleted from ${store}, which is not configured any more`);
};
