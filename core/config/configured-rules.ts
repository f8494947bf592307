import { shortestGapMs } from "../domain/cron.ts";
import { type RetentionRules, rulesOf } from "../domain/retention-rules.ts";
import type { Config, DatabaseConfig, PolicyConfig } from "./schema.ts";

/** What the file says is kept of a database: its policy's rules, its own, and those of its record class. */
export const configuredRules = (config: Config, policy: PolicyConfig, database: DatabaseConfig): RetentionRules => {
  const records = config.recordClasses.find(({ name }) => name === database.records);
  // Told in seconds here, so that another schedule is seen to make other snapshots count.
  const spacing = policy.retention.spacing ?? `${shortestGapMs(policy.schedule.cron) / 2_000}s`;
  return rulesOf({ ...policy.retention, spacing, grace: config.retention.grace }, database.retention, records);
};
