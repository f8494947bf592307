import { pendingDeletions } from "../catalog/pending-deletions.ts";
import { type SpacedRecord, spacedSnapshots } from "../catalog/spaced-snapshots.ts";
import { durationMs } from "../domain/duration.ts";
import { planRetention, type RetainedSnapshot, type RetentionPlan } from "../domain/retention.ts";
import { type RetentionAlarm, retentionAlarm } from "../domain/retention-alarm.ts";
import type { RetentionRules } from "../domain/retention-rules.ts";
import { countedAt, regularSnapshots } from "../domain/snapshot-spacing.ts";
import { rulesInForce } from "./rules-in-force.ts";
import type { Site } from "./site.ts";

/** What retention would do with a database's snapshots. */
export interface DatabasePlan extends RetentionPlan {
  /** What is wrong with the newest; nothing goes while something is. */
  readonly alarm?: RetentionAlarm;
  /** What is marked, and when it goes. */
  readonly pending: readonly { readonly snapshot: string; readonly dueAt: string; readonly reason: "retention" | "request" }[];
  /** What the file would have shorter, once two persons agree. */
  readonly waiting: readonly string[];
}

/** What the rules in force keep and let go of the database's snapshots, as of `now`. Changes nothing. */
export const retentionPlanOf = async (site: Site, database: string, now: Date): Promise<DatabasePlan> => {
  const catalog = await site.catalog();
  const { rules, waiting } = await rulesInForce(site, database);
  const all = await spacedSnapshots(catalog, database);
  const pending = await pendingDeletions(catalog, database);
  return { ...planOf(site, database, rules, all, now), pending, waiting };
};

/** Those of all the snapshots that a database ever had which count. */
export const regularOf = (rules: RetentionRules, all: readonly SpacedRecord[]): ReadonlySet<string> =>
  regularSnapshots(
    all.filter(({ replicated }) => replicated),
    durationMs(rules.spacing),
  );

/** The live ones of all the snapshots that a database ever had, as `planRetention` takes them. */
export const candidatesOf = (rules: RetentionRules, all: readonly SpacedRecord[]): RetainedSnapshot[] => {
  const regular = regularOf(rules, all);
  return all
    .filter(({ removed }) => !removed)
    .map(({ snapshot, capturedAt, sealedAt, replicated, verified, held }) => ({
      ...{ snapshot, replicated, verified, held },
      capturedAt: countedAt({ capturedAt, sealedAt }),
      extra: replicated && !regular.has(snapshot),
    }));
};

/** In which the days, weeks, months and years of a database's retention are told. */
export const timeZoneOf = (site: Site, database: string): string =>
  site.database(database).timeZone ?? site.policyOf(database).schedule.timeZone;

const planOf = (site: Site, database: string, rules: RetentionRules, all: readonly SpacedRecord[], now: Date) => {
  const regular = regularOf(rules, all);
  const live = all.filter(({ removed }) => !removed);
  const plan = planRetention(candidatesOf(rules, all), rules, timeZoneOf(site, database), now);
  const judged = live
    .filter(({ replicated }) => replicated)
    .map(({ snapshot, rows, ...times }) => ({ snapshot, rows, at: countedAt(times), regular: regular.has(snapshot) }));
  const alarm = retentionAlarm(judged, now);
  if (alarm === undefined) return plan;
  const decisions = plan.decisions.map((decision) =>
    decision.action === "keep" ? decision : { ...decision, action: "keep" as const, reasons: ["an alarm stands"] },
  );
  return { decisions, deletions: [], later: [], alarm };
};
