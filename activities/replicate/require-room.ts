import type { Catalog } from "../../core/catalog/catalog.ts";
import { objectSizes } from "../../core/catalog/object-sizes.ts";
import { type Demand, reserveRoom, type Wanted } from "../../core/catalog/reserve-room.ts";
import { quotaOfStore } from "../../core/config/allowances.ts";
import { policyOfDatabase } from "../../core/config/plan-inputs.ts";
import type { PlanPolicy, PlanStore } from "../../core/domain/placement-plan.ts";
import { planPlacement } from "../../core/domain/plan-placement.ts";
import { failureOfRefusal, onlyIn, planPoliciesOf, planStoresOf } from "../../core/site/placement.ts";
import type { Site } from "../../core/site/site.ts";
import type { Store } from "../../core/stores/store.ts";

/** Asks the planner before anything goes to a store. */
export interface RoomKeeper {
  /** Announces these objects in the store; throws `StoreFull` or `CostCapExceeded` when they have no place there. */
  reserve(wanted: readonly Wanted[]): Promise<void>;
}

/** For what belongs to `database`, in words that failures begin with. */
export const openRoomKeeper = async (at: Site, to: Store, database: string, what: string, signal: AbortSignal): Promise<RoomKeeper> => {
  const catalog = await at.catalog();
  const { config } = at.loaded;
  const quota = quotaOfStore(config, to.name);
  const { name } = policyOfDatabase(config, database);
  const policy = (await planPoliciesOf(at)).find((candidate) => candidate.name === name)!;
  const stores = await planStoresOf(at, [], { only: quota.stores });
  // What the service counts and the catalog does not: copies of the log, what others keep in that account.
  const said = quota.bytes === null ? undefined : await to.usage?.(signal);
  return {
    reserve: (wanted) =>
      reserveRoom(catalog, to.name, quota, wanted, (demand) => {
        // Of a store that left the configuration no limits are known.
        if (stores.length > 0) judge({ demand, to: to.name, policy, stores, said: said?.bytes ?? 0, what });
      }),
  };
};

interface Judged {
  readonly demand: Demand;
  readonly to: string;
  readonly policy: PlanPolicy;
  readonly stores: readonly PlanStore[];
  /** Bytes in use as the service says. */
  readonly said: number;
  readonly what: string;
}

const judge = ({ demand, to, policy, stores, said, what }: Judged): void => {
  const inCatalog = demand.usage.reduce((sum, { bytes }) => sum + bytes, 0);
  const used = stores.map((store) => {
    const here = demand.usage.find((entry) => entry.store === store.name);
    const beside = store.name === to ? Math.max(0, said - inCatalog) : 0;
    return { ...store, used: (here?.bytes ?? 0) + beside, usedObjects: here?.objects ?? 0 };
  });
  const item = { id: what, bytes: demand.bytes, objects: demand.objects, policy: policy.name, holders: [] };
  const [outcome] = planPlacement([item], [onlyIn(policy, to)], used).items;
  if (outcome !== undefined && !outcome.placed) throw failureOfRefusal(outcome, what);
};

/** Objects with their sizes: as stores that have them know, or as `source` says. */
export const withSizes = async (catalog: Catalog, keys: readonly string[], source: Store, signal: AbortSignal): Promise<Wanted[]> => {
  const known = await objectSizes(catalog, keys);
  const wanted: Wanted[] = [];
  for (const object of keys) {
    const bytes = known.get(object) ?? (await source.stat(object, signal))?.bytes ?? 0;
    wanted.push({ object, bytes });
  }
  return wanted;
};
