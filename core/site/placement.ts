import { databaseUsage, type StoreUsage, storeUsage } from "../catalog/store-usage.ts";
import { planPolicyOf, planStoreOf } from "../config/plan-inputs.ts";
import { Failure, type FailureType, isFailure } from "../domain/failure.ts";
import type { Passed, PlanPolicy, PlanStore, Refused } from "../domain/placement-plan.ts";
import { openPlan } from "../domain/plan-placement.ts";
import type { StoreCapabilities } from "../stores/store.ts";
import type { Site } from "./site.ts";

/** What the planner is asked about one configuration and its catalog. */

/** What the store's driver says, or what its kind says where the secret that it takes is not here. */
const capabilitiesOf = async (site: Site, name: string): Promise<StoreCapabilities> => {
  try {
    return (await site.store(name)).capabilities;
  } catch (error) {
    if (!isFailure(error)) throw error;
    const { capabilitiesOf: ofKind } = await import("../stores/capability-table.ts");
    return ofKind[site.loaded.config.stores.find((store) => store.name === name)!.kind];
  }
};

export interface PlanStoresOptions {
  /** A store that is being left. */
  readonly leaving?: string | undefined;
  /** Only these. */
  readonly only?: readonly string[];
}

/** The stores of the configuration that can hold packs, with what lies in them. `usage` holds what is not in it for empty. */
export const planStoresOf = async (
  site: Site,
  usage: readonly StoreUsage[],
  { leaving, only }: PlanStoresOptions = {},
): Promise<PlanStore[]> => {
  const { config } = site.loaded;
  // What cannot be deleted takes the small permanent things only.
  const able = config.stores.filter(({ name, kind }) => kind !== "arweave" && (only?.includes(name) ?? true));
  return await Promise.all(
    able.map(async (store) => {
      const { largestObject, immutability } = await capabilitiesOf(site, store.name);
      const here = usage.find((entry) => entry.store === store.name);
      const facts = { used: here?.bytes ?? 0, usedObjects: here?.objects ?? 0, largestObject, immutable: immutability !== "none" };
      return planStoreOf(config, store, facts, store.name === leaving);
    }),
  );
};

/** The policies, each with what it spends now: its databases' share of every store's bill. */
export const planPoliciesOf = async (site: Site): Promise<PlanPolicy[]> => {
  const { config } = site.loaded;
  if (config.policies.every(({ monthlyCost }) => monthlyCost === undefined))
    return config.policies.map((policy) => planPolicyOf(config, policy, 0));
  const catalog = await site.catalog();
  const stores = openPlan([], await planStoresOf(site, await storeUsage(catalog))).loads();
  const held = await databaseUsage(catalog);
  return config.policies.map((policy) => {
    const own = new Set(config.databases.filter((database) => database.policy === policy.name).map(({ name }) => name));
    const spends = stores.reduce((sum, { store, used, perMonth }) => {
      const bytes = held.filter((entry) => entry.store === store && own.has(entry.database)).reduce((all, entry) => all + entry.bytes, 0);
      return sum + (used === 0 ? 0 : ((perMonth ?? 0) * Math.min(bytes, used)) / used);
    }, 0);
    return planPolicyOf(config, policy, spends);
  });
};

/** A policy as it bears on one store alone: what it asks of a place, and what it may spend. */
export const onlyIn = (policy: PlanPolicy, store: string): PlanPolicy => ({
  ...policy,
  ...{ landing: null, stores: [store], copies: 1, domains: 1, extra: [], spread: "planned" as const },
});

const typeOf: Readonly<Record<Passed["code"], FailureType>> = {
  leaving: "StoreRejected",
  region: "ConfigurationInvalid",
  immutability: "ConfigurationInvalid",
  price: "CostCapExceeded",
  "object-size": "StoreRejected",
  quota: "StoreFull",
  objects: "StoreFull",
  ceiling: "CostCapExceeded",
};

/** What a refusal says, as a failure: which store, why, what would help. */
export const failureOfRefusal = ({ why, passed }: Refused, what: string): Failure => {
  const reasons = passed.map((store) => `store ${store.store} ${store.why}`).join("; ");
  const type = passed.find(({ code }) => code === "quota" || code === "objects")?.code ?? passed[0]?.code ?? "quota";
  const help = typeOf[type] === "StoreFull" ? ": raise its quota, name another store, or keep less" : "";
  return new Failure(typeOf[type], `${what} has no place: ${reasons === "" ? why : `${reasons}${help}`}`);
};
