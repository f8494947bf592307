import { liveSnapshots } from "../catalog/live-snapshots.ts";
import { planRetention, type RetentionPlan } from "../domain/retention.ts";
import type { Site } from "./site.ts";

/** What the database's policy keeps and lets go of its snapshots, as of `now`. Changes nothing. */
export const retentionPlanOf = async (site: Site, database: string, now: Date): Promise<RetentionPlan> => {
  const { retention, schedule } = site.policyOf(database);
  const live = await liveSnapshots(await site.catalog(), database);
  const candidates = live.map(({ snapshot, capturedAt, states, held }) => ({
    snapshot,
    capturedAt,
    held,
    replicated: states.includes("replicated") || states.includes("logged"),
    verified: states.includes("verified"),
  }));
  return planRetention(candidates, retention, schedule.timeZone, now);
};
