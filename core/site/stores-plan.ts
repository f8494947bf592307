import { livePlacedObjects } from "../catalog/placed-objects.ts";
import { databaseGrowth, storeUsage } from "../catalog/store-usage.ts";
import { policyOfDatabase } from "../config/plan-inputs.ts";
import type { Config } from "../config/schema.ts";
import { type Forecast, forecastPlacement } from "../domain/forecast-placement.ts";
import type { PlacementPlan, PlanItem, PlanPolicy, PlanStore } from "../domain/placement-plan.ts";
import { planPlacement } from "../domain/plan-placement.ts";
import { planPoliciesOf, planStoresOf } from "./placement.ts";
import type { Site } from "./site.ts";

/** What live snapshots need, as the planner takes it. What several databases share is kept as the one asks that asks for most. */
const placedItems = async (site: Site): Promise<PlanItem[]> => {
  const { config } = site.loaded;
  const objects = await livePlacedObjects(await site.catalog());
  // Few combinations of databases, and very many objects.
  const policies = new Map<string, string>();
  const policyOf = (databases: readonly string[]): string => {
    const key = databases.join(" ");
    const known = policies.get(key) ?? strictestPolicy(config, databases);
    policies.set(key, known);
    return known;
  };
  return objects.map(({ key, bytes, databases, holders }) => ({ id: key, bytes, policy: policyOf(databases), holders }));
};

/** Of the policies of these databases the one that asks for the most copies. */
export const strictestPolicy = (config: Config, databases: readonly string[]): string =>
  databases
    .map((database) => policyOfDatabase(config, database))
    .toSorted((a, b) => b.copies - a.copies || b.domains - a.domains || (a.name < b.name ? -1 : 1))[0]!.name;

export interface SitePlan {
  readonly items: readonly PlanItem[];
  readonly policies: readonly PlanPolicy[];
  readonly stores: readonly PlanStore[];
  readonly plan: PlacementPlan;
}

/** Where everything that live snapshots need lies, would go, or has no place. Changes nothing. */
export const planOfSite = async (site: Site): Promise<SitePlan> => {
  const items = await placedItems(site);
  const policies = await planPoliciesOf(site);
  const stores = await planStoresOf(site, await storeUsage(await site.catalog()));
  return { items, policies, stores, plan: planPlacement(items, policies, stores) };
};

export interface WhatIf {
  /** Bytes, stored and compressed, in place of what is there. */
  readonly estate: number;
  readonly policy: string;
}

export interface ForecastOptions {
  readonly days: number;
  /** An estate that is not there. */
  readonly whatIf?: WhatIf | undefined;
  /** Bytes a day, over all policies, instead of what was measured. */
  readonly growth?: number | undefined;
  readonly now: Date;
}

export interface SiteForecast {
  readonly forecast: Forecast;
  readonly stores: readonly PlanStore[];
  /** Bytes a day, by policy. */
  readonly growth: Readonly<Record<string, number>>;
}

/** Sizes that packs have on average: between 16 and 40 MiB. */
const packBytes = 24 * 2 ** 20;
/** Of a what-if for which nobody has said it. */
const growthOfWhatIf = 0.005;
/** Growth is measured over so many days. */
const measuredDays = 30;

export const forecastOfSite = async (site: Site, options: ForecastOptions): Promise<SiteForecast> => {
  const { days, whatIf, now } = options;
  const catalog = await site.catalog();
  const { config } = site.loaded;
  const usage = whatIf === undefined ? await storeUsage(catalog) : [];
  const stores = await planStoresOf(site, usage);
  const all = await planPoliciesOf(site);
  if (whatIf !== undefined) {
    const policies = all.filter(({ name }) => name === whatIf.policy).map((policy) => ({ ...policy, spends: 0 }));
    const packs = Math.max(1, Math.ceil(whatIf.estate / packBytes));
    const items = Array.from({ length: packs }, (_, n): PlanItem => {
      const bytes = n < packs - 1 ? packBytes : whatIf.estate - (packs - 1) * packBytes;
      return { id: String(n).padStart(9, "0"), bytes, policy: whatIf.policy, holders: [] };
    });
    const growth = { [whatIf.policy]: options.growth ?? whatIf.estate * growthOfWhatIf };
    return { forecast: forecastPlacement({ policies, stores, items, growth, days, packBytes }), stores, growth };
  }
  const measured = await databaseGrowth(catalog, measuredDays, now);
  const total = measured.reduce((sum, { perDay }) => sum + perDay, 0);
  const growth: Record<string, number> = {};
  for (const { database, perDay } of measured) {
    const share = options.growth === undefined ? perDay : total === 0 ? 0 : (options.growth * perDay) / total;
    const { name } = policyOfDatabase(config, database);
    growth[name] = (growth[name] ?? 0) + share;
  }
  if (options.growth !== undefined && total === 0) growth[config.policies[0]!.name] = options.growth;
  return {
    forecast: forecastPlacement({ policies: all, stores, items: await placedItems(site), growth, days, packBytes }),
    stores,
    growth,
  };
};
