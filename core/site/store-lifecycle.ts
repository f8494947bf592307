import { configuredRules } from "../config/configured-rules.ts";
import type { Config } from "../config/schema.ts";
import { ageBefore } from "../domain/age.ts";
import type { LifecycleRecord } from "../domain/lifecycle-rules.ts";
import { readLifecycleRules } from "../stores/azure-lifecycle.ts";

const dayMs = 86_400_000;

/** What the account of a store does with its objects by rules of its own. Undefined for a store whose kind has no such rules. */
export const lifecycleOf = async (config: Config, store: Config["stores"][number], now: Date): Promise<LifecycleRecord | undefined> => {
  if (store.kind !== "azure-blob") return undefined;
  const { container, accountResourceId } = store;
  const keepsDays = keptFor(config, store.name, now);
  if (accountResourceId === undefined)
    return { container, keepsDays, unknown: "nobody has looked at the account's lifecycle rules, as the store names no accountResourceId" };
  return { ...(await readLifecycleRules(accountResourceId, container)), keepsDays };
};

/** The longest that a policy which uses the store keeps a snapshot by its counts and minimum age. A database's maximum age ends it sooner. */
const keptFor = (config: Config, store: string, now: Date): number | null => {
  const days = config.databases.flatMap((database) => {
    const policy = config.policies.find(({ name }) => name === database.policy);
    if (policy === undefined || (policy.landing !== store && !policy.stores.includes(store))) return [];
    const { daily, weekly, monthly, yearly, minimumAge, maximumAge } = configuredRules(config, policy, database);
    const daysOf = (age: string): number => Math.ceil((now.getTime() - ageBefore(now, age).getTime()) / dayMs);
    const counted = Math.max(daily, weekly * 7, monthly * 31, yearly * 366, daysOf(minimumAge));
    return [maximumAge === undefined ? counted : Math.min(counted, daysOf(maximumAge))];
  });
  return days.length === 0 ? null : Math.max(...days);
};
