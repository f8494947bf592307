import { expireHolds } from "../../core/catalog/expire-holds.ts";
import { keepHeld } from "../../core/catalog/keep-held.ts";
import { markDeletions } from "../../core/catalog/mark-deletions.ts";
import { pendingDeletions } from "../../core/catalog/pending-deletions.ts";
import { spacedSnapshots } from "../../core/catalog/spaced-snapshots.ts";
import { unloggedRemovals } from "../../core/catalog/unlogged-removals.ts";
import { unmarkDeletions } from "../../core/catalog/unmark-deletions.ts";
import { ageBefore } from "../../core/domain/age.ts";
import { durationMs } from "../../core/domain/duration.ts";
import { settleApprovers } from "../../core/site/approvers-in-force.ts";
import { retentionPlanOf } from "../../core/site/retention-plan.ts";
import { settleRules } from "../../core/site/rules-in-force.ts";
import type { ActivityEnvironment } from "../environment.ts";

export interface PlannedRemoval {
  /** What is due: it goes now. And what is gone, see `untold`. */
  readonly snapshots: readonly string[];
  /** Those of them that a run removed which broke off before the log had it. Absent: none. */
  readonly untold?: readonly string[];
  /** Those of them that two persons asked for. */
  readonly requested?: readonly string[];
  /** Why nothing that the rules let go is touched: what is wrong with the newest snapshots. */
  readonly alarm?: { readonly kind: "flood" | "shrunk"; readonly message: string };
  /** What the configuration has shorter than what is in force, as `daily: 7 → 3`: it waits for two persons. */
  readonly waiting?: readonly string[];
}

export const createPlanRemoval = ({ site }: ActivityEnvironment) => ({
  /** Ends the holds whose time is over. A second attempt may not return those of the first, whose end the next run still logs. */
  endHolds: async (): Promise<{ ended: readonly { readonly id: string; readonly database: string | null }[] }> => ({
    ended: await expireHolds(await (await site()).catalog(), new Date()),
  }),

  /**
   * Marks what the database's rules let go, takes back marks of what they keep after all, and says what is due. Decided once in a run:
   * retries of the removal remove these and no others. So many at most are marked, and removed, in one run.
   */
  planRemoval: async ({ database }: { database: string }): Promise<PlannedRemoval> => {
    const at = await site();
    const catalog = await at.catalog();
    const now = new Date();
    await settleApprovers(at);
    const { rules, waiting } = await settleRules(at, database);
    await keepHeld(catalog);
    const plan = await retentionPlanOf(at, database, now);
    if (plan.alarm === undefined) {
      const goes = [...plan.deletions, ...plan.later];
      const kept = plan.pending.filter(({ snapshot, reason }) => reason === "retention" && !goes.includes(snapshot));
      await unmarkDeletions(
        catalog,
        kept.map(({ snapshot }) => snapshot),
      );
      const marked = new Set(plan.pending.map(({ snapshot }) => snapshot));
      const fresh = goes.filter((snapshot) => !marked.has(snapshot)).slice(0, rules.mostPerRun);
      const dueAt = new Date(now.getTime() + durationMs(rules.grace));
      await markDeletions(catalog, fresh, { at: now, dueAt, reason: "retention" });
    }
    const due = (await pendingDeletions(catalog, database)).filter(({ dueAt }) => Date.parse(dueAt) <= now.getTime());
    const byRule = due.filter(({ reason }) => reason === "retention" && plan.alarm === undefined).slice(0, rules.mostPerRun);
    // Two persons need no newer snapshot, but what the law keeps is kept from them, too.
    const youngest = ageBefore(now, rules.minimumAge);
    const capturedAt = new Map((await spacedSnapshots(catalog, database)).map((one) => [one.snapshot, new Date(one.capturedAt)]));
    const requested = due.filter(({ reason, snapshot }) => reason === "request" && capturedAt.get(snapshot)! <= youngest);
    // Removing these again changes nothing, and they come into the log with the others.
    const untold = await unloggedRemovals(catalog, database);
    const asked = [...untold.filter((one) => one.requested), ...requested].map(({ snapshot }) => snapshot);
    return {
      snapshots: [...untold, ...byRule, ...requested].map(({ snapshot }) => snapshot),
      ...(untold.length > 0 ? { untold: untold.map(({ snapshot }) => snapshot) } : {}),
      ...(asked.length > 0 ? { requested: asked } : {}),
      ...(plan.alarm === undefined ? {} : { alarm: plan.alarm }),
      ...(waiting.length > 0 ? { waiting } : {}),
    };
  },
});
