import type { SparseSummary, SparseVerdict } from "../../core/domain/retention-sparse.ts";
import { formatSize } from "../../core/domain/size.ts";
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
  sparse,
}: RetentionResult): void => {
  say(`${good("✓")} ${plural(removed.length, "snapshot")} removed, ${plural(objectsDeleted, "object")} deleted`);
  for (const { database, message } of alarms) say(`  ${bad("!")} nothing of ${database} goes: ${message}`);
  for (const { database, changes } of waiting) say(`  ${warn("!")} ${database} waits for two persons: ${changes.join(", ")}`);
  for (const { message } of unprotected) say(`  ${warn("!")} not locked, held or moved to its tier: ${message}`);
  for (const { store, objects, until } of retained)
    say(`  ${dim(`${store} keeps ${plural(objects, "object")} for now${until === null ? "" : `, until ${utcMinute(until)}`}`)}`);
  for (const { store, objects } of outOfReach)
    say(`  ${warn("!")} ${plural(objects, "object")} cannot be deleted from ${store}, which is not configured any more`);
  saySparse(sparse);
};

/** Of packs of which little is needed: what becomes of them, or why nothing does. */
const fates: Readonly<Record<SparseVerdict, string>> = {
  rewrite: "the next snapshots write anew what they need of them",
  moved: "snapshots have written anew what they need of them; they go with older snapshots",
  old: "only older snapshots need them; they go with these",
  off: "rewriting is turned off",
  young: "written too lately",
  held: "a legal hold keeps them",
  stays: "older snapshots keep them for longer than a rewriting may take to pay",
  abandoned: "a database that is not backed up any more needs them",
  forever: "they are in a store that deletes nothing",
  locked: "a lock keeps them for longer than a rewriting may take to pay",
  billed: "a store bills them still, deleted or not",
  costly: "too much would have to be read for them",
  budget: "a later run's, for this one's budget is spent",
  room: "a store is too full to have both for a while",
};

export const saySparse = (sparse: readonly SparseSummary[]): void => {
  if (sparse.length === 0) return;
  say(`${bold("sparse packs")}, of which little is needed:`);
  say(
    table(
      ["packs", "bytes", "needed by nobody", "what becomes of them"],
      sparse.map(({ verdict, packs, bytes, deadBytes, until }) => [
        ...[`${packs}`, formatSize(bytes), formatSize(deadBytes)],
        dim(`${fates[verdict]}${until === null ? "" : `, until ${utcMinute(until)}`}`),
      ]),
    ),
  );
};
