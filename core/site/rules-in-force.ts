import { readInForce, writeInForce } from "../catalog/in-force.ts";
import { configuredRules } from "../config/configured-rules.ts";
import { keepingMore, type RetentionRules, shortenings } from "../domain/retention-rules.ts";
import { approversInForce } from "./approvers-in-force.ts";
import type { Site } from "./site.ts";

/** What is kept of a database now, and what the file would have shorter as soon as two persons agree. */
export interface RulesInForce {
  readonly rules: RetentionRules;
  /** As `daily: 7 → 3`; empty when the file's rules are in force. */
  readonly waiting: readonly string[];
}

export const rulesSubject = (database: string): string => `rules/${database}`;

const rulesOfFile = (site: Site, database: string): RetentionRules =>
  configuredRules(site.loaded.config, site.policyOf(database), site.database(database));

/** What keeps more comes into force by itself; what keeps less waits, where there are approvers, and the rest of the file's rules does not. */
export const rulesInForce = async (site: Site, database: string): Promise<RulesInForce> => {
  const configured = rulesOfFile(site, database);
  if ((await approversInForce(site)).approvers.length === 0) return { rules: configured, waiting: [] };
  const standing = await readInForce<RetentionRules>(await site.catalog(), rulesSubject(database));
  if (standing === undefined) return { rules: configured, waiting: [] };
  return { rules: keepingMore(standing, configured), waiting: shortenings(standing, configured) };
};

/** Writes down what is in force, so that a shorter file can be told from it. Idempotent. */
export const settleRules = async (site: Site, database: string): Promise<RulesInForce> => {
  const found = await rulesInForce(site, database);
  await writeInForce(await site.catalog(), rulesSubject(database), found.rules, new Date());
  return found;
};

/** What a request to shorten a database's retention names. */
export const shorteningOf = async (site: Site, database: string) => {
  const { rules: before, waiting } = await rulesInForce(site, database);
  return { before, after: rulesOfFile(site, database), waiting };
};
