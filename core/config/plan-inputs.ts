import type { PlanPolicy, PlanStore } from "../domain/placement-plan.ts";
import { allowanceOfStore, quotaOfStore } from "./allowances.ts";
import type { Config, PolicyConfig } from "./schema.ts";

/** The configuration in the planner's words. */

export interface StoreFacts {
  readonly used: number;
  readonly usedObjects: number;
  readonly largestObject: number;
  /** Whether copies can be made immutable there. */
  readonly immutable: boolean;
}

export const planStoreOf = (config: Config, store: Config["stores"][number], facts: StoreFacts, leaving = false): PlanStore => {
  const allowance = allowanceOfStore(config, store);
  const quota = quotaOfStore(config, store.name);
  // A folder's disk is paid for already.
  const price = store.kind === "directory" && allowance === undefined ? { perGBMonth: 0 } : (allowance?.price ?? null);
  const free = allowance?.free?.bytes ?? 0;
  return {
    name: store.name,
    domain: store.domain,
    account: quota.account,
    quota: quota.bytes,
    quotaObjects: quota.objects,
    used: facts.used,
    usedObjects: facts.usedObjects,
    freeBytes: free,
    // What has no price, and may not grow beyond what is free, costs nothing.
    price:
      price === null
        ? quota.bytes !== null && quota.bytes <= free
          ? { perGBMonth: 0, minimumPerMonth: 0 }
          : null
        : { perGBMonth: price.perGBMonth, minimumPerMonth: price.minimumPerMonth ?? 0 },
    region: store.region ?? null,
    immutable: facts.immutable,
    largestObject: facts.largestObject,
    leaving,
  };
};

/** Stores of a policy that archive what they keep of it when it is old: their copies are none of the promised ones. */
export const archivingStores = ({ stores }: Pick<Config, "stores">, policy: PolicyConfig): string[] =>
  policy.tiers.archive === undefined
    ? []
    : policy.stores.filter((name) => stores.find((store) => store.name === name)?.kind === "azure-blob");

export const planPolicyOf = (config: Config, policy: PolicyConfig, spends: number): PlanPolicy => ({
  name: policy.name,
  landing: policy.landing,
  stores: policy.stores,
  copies: policy.copies,
  domains: policy.domains,
  extra: archivingStores(config, policy),
  spread: policy.placement,
  regions: policy.regions,
  immutable: policy.immutable,
  mostPerMonth: policy.monthlyCost ?? null,
  spends,
});

/** The policy that a database is kept by; of one that the configuration has no more, the one that asks for the most copies. */
export const policyOfDatabase = ({ databases, policies }: Config, database: string): PolicyConfig => {
  const named = databases.find(({ name }) => name === database)?.policy;
  const own = policies.find(({ name }) => name === named);
  return own ?? policies.toSorted((a, b) => b.copies - a.copies || b.domains - a.domains)[0]!;
};
