import { objectSizes } from "../../core/catalog/object-sizes.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { replicasMissing } from "../../core/catalog/replicas-missing.ts";
import { storeUsage } from "../../core/catalog/store-usage.ts";
import { policyOfDatabase } from "../../core/config/plan-inputs.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { PlanItem } from "../../core/domain/placement-plan.ts";
import { openPlan } from "../../core/domain/plan-placement.ts";
import { failureOfRefusal, planPoliciesOf, planStoresOf } from "../../core/site/placement.ts";
import type { ActivityEnvironment } from "../environment.ts";

/** Stores that a snapshot is copied to, beside its landing store, and why it was these. */
export interface ChosenStores {
  readonly stores: readonly string[];
  readonly why: Readonly<Record<string, string>>;
}

export const createPlanCopies = ({ site }: ActivityEnvironment) => ({
  /**
   * Chooses among the stores that the policy names: those that have most of the database already, then the cheapest that have room for all of it.
   * `StoreFull` or `CostCapExceeded` where the policy's promise has no place.
   */
  planCopies: async ({ snapshot }: { snapshot: string }): Promise<ChosenStores> => {
    const at = await site();
    const catalog = await at.catalog();
    const sealed = await getSnapshot(catalog, snapshot);
    if (sealed === undefined) throw new Failure("SnapshotUnknown", `snapshot ${snapshot} is not in the catalog`);
    const policies = await planPoliciesOf(at);
    const { name } = policyOfDatabase(at.loaded.config, sealed.database);
    const policy = policies.find((candidate) => candidate.name === name)!;
    const stores = await planStoresOf(at, await storeUsage(catalog));
    // A store of no name has none of it: all that the snapshot needs.
    const all = await sizeOf(await replicasMissing(catalog, snapshot, ""));
    const adds: Record<string, number> = {};
    for (const store of stores) adds[store.name] = (await sizeOf(await replicasMissing(catalog, snapshot, store.name))).bytes;
    const started = Object.entries(adds).filter(([, bytes]) => bytes < all.bytes);
    const prefers = started.toSorted(([a, x], [b, y]) => x - y || (a < b ? -1 : 1)).map(([store]) => store);
    const item: PlanItem = { id: snapshot, bytes: all.bytes, objects: all.objects, policy: name, holders: [], adds, prefers };
    const outcome = openPlan([{ ...policy, spread: "planned" }], stores).place(item);
    if (!outcome.placed) throw failureOfRefusal(outcome, `what policy ${name} promises for ${snapshot}`);
    const chosen = outcome.choices.filter(({ store }) => store !== policy.landing);
    return { stores: chosen.map(({ store }) => store), why: Object.fromEntries(chosen.map(({ store, why }) => [store, why])) };

    async function sizeOf(keys: readonly string[]): Promise<{ bytes: number; objects: number }> {
      const sizes = await objectSizes(catalog, keys);
      return { bytes: keys.reduce((sum, key) => sum + (sizes.get(key) ?? 0), 0), objects: keys.length };
    }
  },
});
