import { databaseUsage } from "../catalog/store-usage.ts";
import { policyOfDatabase } from "../config/plan-inputs.ts";
import type { PlanStore } from "../domain/placement-plan.ts";
import type { Site } from "./site.ts";

/**
 * Where the copies of databases should go together, by database: of those whose policy is `planned`, since a snapshot is whole only in a store that has
 * all of it. First stores that have room for the rest of the database, those with most of it before others; then in the policy's order.
 */
export const preferredStores = async (site: Site, stores: readonly PlanStore[]): Promise<ReadonlyMap<string, readonly string[]>> => {
  const { config } = site.loaded;
  const preferred = new Map<string, readonly string[]>();
  if (config.policies.every(({ placement }) => placement === "all")) return preferred;
  const usage = await databaseUsage(await site.catalog());
  for (const [database, held] of Map.groupBy(usage, (entry) => entry.database)) {
    const policy = policyOfDatabase(config, database);
    if (policy.placement === "all") continue;
    const bytesIn = (name: string): number => held.find(({ store }) => store === name)?.bytes ?? 0;
    // The landing store, or one that was it, has everything.
    const all = Math.max(...held.map(({ bytes }) => bytes));
    const named = [policy.landing, ...policy.stores].map((name, place) => {
      const store = stores.find((candidate) => candidate.name === name);
      const room = store === undefined ? 0 : roomOf(store, stores);
      return { name, place, held: bytesIn(name), fits: room >= all - bytesIn(name) };
    });
    named.sort((a, b) => Number(b.fits) - Number(a.fits) || b.held - a.held || a.place - b.place);
    preferred.set(
      database,
      named.map(({ name }) => name),
    );
  }
  return preferred;
};

const roomOf = ({ account, quota }: PlanStore, stores: readonly PlanStore[]): number =>
  quota === null
    ? Number.MAX_SAFE_INTEGER
    : quota - stores.filter((other) => other.account === account).reduce((sum, { used }) => sum + used, 0);
