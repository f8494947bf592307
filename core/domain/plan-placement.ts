import type { Choice, Passed, Placed, PlacementPlan, PlanItem, PlanPolicy, PlanStore, Refused, StoreLoad } from "./placement-plan.ts";
import { formatSize } from "./size.ts";

/**
 * Where copies go: pure, deterministic, and nothing is placed in part. Copies that lie where they may are kept, so a store that joins moves nothing
 * and one that leaves moves only its own. What cannot have all of its copies within every quota is refused, and each store's reason
 * is told: it refuses before it bursts.
 */

type Reason = Omit<Passed, "store">;

interface Account {
  readonly quota: number | null;
  readonly quotaObjects: number | null;
  readonly freeBytes: number;
  used: number;
  objects: number;
}

/** Places one thing after the other, and remembers what that leaves. */
export interface OpenPlan {
  place(item: PlanItem): Placed | Refused;
  loads(): StoreLoad[];
}

const billable = 1e9;

export const openPlan = (policies: readonly PlanPolicy[], stores: readonly PlanStore[]): OpenPlan => {
  const policyOf = new Map(policies.map((policy) => [policy.name, policy]));
  const storeOf = new Map(stores.map((store) => [store.name, store]));
  const accounts = new Map<string, Account>();
  const added = new Map<string, { bytes: number; objects: number }>(stores.map(({ name }) => [name, { bytes: 0, objects: 0 }]));
  const spent = new Map(policies.map(({ name, spends }) => [name, spends]));
  for (const { account, quota, quotaObjects, freeBytes, used, usedObjects } of stores) {
    const known = accounts.get(account);
    if (known === undefined) accounts.set(account, { quota, quotaObjects, freeBytes, used, objects: usedObjects });
    else {
      known.used += used;
      known.objects += usedObjects;
    }
  }
  const accountOf = (store: PlanStore): Account => accounts.get(store.account)!;

  /** What it would add to the month's bill. */
  const costOf = (store: PlanStore, bytes: number): number => {
    if (store.price === null) return 0;
    const { used, freeBytes } = accountOf(store);
    const paid = (at: number): number => Math.max(0, at - freeBytes);
    const now = paid(used);
    const then = paid(used + bytes);
    const bill = (at: number): number => (at === 0 ? 0 : Math.max(store.price!.minimumPerMonth, (at / billable) * store.price!.perGBMonth));
    return bill(then) - bill(now);
  };

  /** Why a policy cannot use the store at all; undefined when it can. */
  const barred = (policy: PlanPolicy, store: PlanStore): Reason | undefined => {
    if (store.leaving) return { code: "leaving", why: "is being left" };
    if (policy.regions.length > 0 && (store.region === null || !policy.regions.includes(store.region))) {
      const why =
        store.region === null ? "has no region, and the policy names some" : `lies in ${store.region}, where the policy allows no copies`;
      return { code: "region", why };
    }
    if (policy.immutable && !store.immutable)
      return { code: "immutability", why: "cannot make copies immutable, which the policy asks for" };
    if (policy.mostPerMonth !== null && store.price === null)
      return { code: "price", why: "has no known price, and the policy has a ceiling" };
    return undefined;
  };

  /** Why it does not fit; undefined when it does. */
  const tooMuch = (policy: PlanPolicy, store: PlanStore, item: PlanItem, bytes: number): Reason | undefined => {
    const account = accountOf(store);
    // What lies there already is kept, even where a quota was lowered below it.
    if (bytes === 0) return undefined;
    const objects = item.objects ?? 1;
    if (objects === 1 && item.bytes > store.largestObject)
      return { code: "object-size", why: `takes no object larger than ${formatSize(store.largestObject)}` };
    if (account.quota !== null && account.used + bytes > account.quota) {
      const room = formatSize(Math.max(0, account.quota - account.used));
      return { code: "quota", why: `has room for ${room} of its ${formatSize(account.quota)}, and ${formatSize(bytes)} would go there` };
    }
    if (account.quotaObjects !== null && account.objects + objects > account.quotaObjects)
      return { code: "objects", why: `has ${account.objects} of the ${account.quotaObjects} objects that it may have` };
    const cost = costOf(store, bytes);
    const spends = spent.get(policy.name) ?? 0;
    if (policy.mostPerMonth !== null && spends + cost > policy.mostPerMonth) {
      const ceiling = `${spends.toFixed(2)} of its ${policy.mostPerMonth.toFixed(2)} dollars`;
      return { code: "ceiling", why: `would cost ${cost.toFixed(2)} dollars a month more, and the policy spends ${ceiling}` };
    }
    return undefined;
  };

  const put = (policy: PlanPolicy, store: PlanStore, item: PlanItem, bytes: number, sign: 1 | -1, cost: number): void => {
    const objects = bytes === 0 ? 0 : (item.objects ?? 1);
    const account = accountOf(store);
    account.used += sign * bytes;
    account.objects += sign * objects;
    const load = added.get(store.name)!;
    load.bytes += sign * bytes;
    load.objects += sign * objects;
    spent.set(policy.name, (spent.get(policy.name) ?? 0) + sign * cost);
  };

  const place = (item: PlanItem): Placed | Refused => {
    const policy = policyOf.get(item.policy);
    if (policy === undefined) throw new RangeError(`no policy ${item.policy}`);
    const addsTo = (store: PlanStore): number => item.adds?.[store.name] ?? (item.holders.includes(store.name) ? 0 : item.bytes);
    const passed: Passed[] = [];
    const open: PlanStore[] = [];
    for (const store of stores) {
      if (policy.stores !== null && policy.landing !== store.name && !policy.stores.includes(store.name)) continue;
      const why = barred(policy, store);
      if (why === undefined) open.push(store);
      else passed.push({ store: store.name, ...why });
    }
    const choices: Choice[] = [];
    const done: { store: PlanStore; bytes: number; cost: number }[] = [];
    const domains = new Set<string>();
    let counted = 0;
    const isExtra = ({ name }: PlanStore): boolean => policy.extra?.includes(name) === true;
    const take = (store: PlanStore, why: string): void => {
      const bytes = addsTo(store);
      const cost = costOf(store, bytes);
      put(policy, store, item, bytes, 1, cost);
      done.push({ store, bytes, cost });
      choices.push({ store: store.name, why, adds: bytes });
      if (isExtra(store)) return;
      domains.add(store.domain);
      counted += 1;
    };
    const left = new Set(open);
    const tryTake = (store: PlanStore, why: string): boolean => {
      left.delete(store);
      const too = tooMuch(policy, store, item, addsTo(store));
      if (too !== undefined) passed.push({ store: store.name, ...too });
      else take(store, why);
      return too === undefined;
    };
    const prefers = item.prefers ?? [];
    // A preferred one, the cheapest, then the one with the most room, then by name: the same for every order of the same stores.
    const best = (among: readonly PlanStore[]): PlanStore | undefined => {
      for (const name of prefers) {
        const preferred = among.find((store) => store.name === name);
        if (preferred !== undefined) return preferred;
      }
      let chosen: { store: PlanStore; cost: number; room: number } | undefined;
      for (const store of among) {
        const { quota, used } = accountOf(store);
        const candidate = { store, cost: costOf(store, addsTo(store)), room: quota === null ? Number.MAX_SAFE_INTEGER : quota - used };
        if (chosen === undefined || better(candidate, chosen)) chosen = candidate;
      }
      return chosen?.store;
    };
    const undo = (why: string): Refused => {
      for (const { store, bytes, cost } of done) put(policy, store, item, bytes, -1, cost);
      return { id: item.id, policy: policy.name, placed: false, why, passed };
    };

    const landing = policy.landing === null ? undefined : storeOf.get(policy.landing);
    if (landing !== undefined && left.has(landing) && !tryTake(landing, "captures write there")) {
      return undo(`its landing store ${landing.name} ${passed.at(-1)!.why}`);
    }
    for (const name of [...item.holders].sort()) {
      const store = storeOf.get(name);
      if (store !== undefined && left.has(store) && addsTo(store) === 0) tryTake(store, "has it");
    }
    while (domains.size < policy.domains) {
      const next = best([...left].filter((store) => !isExtra(store) && !domains.has(store.domain)));
      if (next === undefined) break;
      tryTake(next, `the cheapest with room in a domain that was missing (${next.domain})`);
    }
    const all = policy.spread === "all";
    while (all || counted < policy.copies) {
      const next = best([...left].filter((store) => all || !isExtra(store)));
      if (next === undefined) break;
      tryTake(next, all ? "named by the policy" : "the cheapest with room");
    }
    if (counted < policy.copies || domains.size < policy.domains) {
      const found = `${counted} of ${policy.copies} copies in ${domains.size} of ${policy.domains} domains have a place`;
      return undo(`${found}: raise a quota, add a store, or keep less`);
    }
    return { id: item.id, policy: policy.name, placed: true, choices, passed };
  };

  const loads = (): StoreLoad[] => {
    const billed = new Map<string, { free: number; minimum: boolean }>();
    return stores.map((store) => {
      const more = added.get(store.name)!;
      const used = store.used + more.bytes;
      const account = billed.get(store.account) ?? { free: store.freeBytes, minimum: false };
      const paid = Math.max(0, used - account.free);
      const bill = store.price === null ? null : (paid / billable) * store.price.perGBMonth;
      const perMonth = bill === null || paid === 0 || account.minimum ? bill : Math.max(bill, store.price!.minimumPerMonth);
      billed.set(store.account, { free: Math.max(0, account.free - used), minimum: account.minimum || paid > 0 });
      return { store: store.name, used, usedObjects: store.usedObjects + more.objects, added: more.bytes, perMonth };
    });
  };
  return { place, loads };
};

const better = (a: { store: PlanStore; cost: number; room: number }, b: { store: PlanStore; cost: number; room: number }): boolean => {
  if (a.cost !== b.cost) return a.cost < b.cost;
  if (a.room !== b.room) return a.room > b.room;
  return a.store.name < b.store.name;
};

/** Places all of them, by policy and id whatever their order. */
export const planPlacement = (items: readonly PlanItem[], policies: readonly PlanPolicy[], stores: readonly PlanStore[]): PlacementPlan => {
  const plan = openPlan(policies, stores);
  const sorted = items.toSorted((a, b) => compare(a.policy, b.policy) || compare(a.id, b.id));
  const placed = sorted.map((item) => plan.place(item));
  const loads = plan.loads();
  return { items: placed, stores: loads, perMonth: loads.reduce((sum, { perMonth }) => sum + (perMonth ?? 0), 0) };
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
