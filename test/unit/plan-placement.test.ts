import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { forecastPlacement } from "../../core/domain/forecast-placement.ts";
import type { PlanItem, PlanPolicy, PlanStore } from "../../core/domain/placement-plan.ts";
import { planPlacement } from "../../core/domain/plan-placement.ts";

const storeNamed = (name: string, more: Partial<PlanStore> = {}): PlanStore => ({
  ...{ name, domain: name, account: name, quota: null, quotaObjects: null, used: 0, usedObjects: 0, freeBytes: 0 },
  ...{ price: { perGBMonth: 0, minimumPerMonth: 0 }, region: null, immutable: false, largestObject: 1e15, leaving: false },
  ...more,
});
const policyNamed = (name: string, more: Partial<PlanPolicy> = {}): PlanPolicy => ({
  ...{ name, landing: null, stores: null, copies: 2, domains: 2, spread: "planned" as const, regions: [], immutable: false },
  ...{ mostPerMonth: null, spends: 0 },
  ...more,
});
const pack = (id: string, bytes: number, more: Partial<PlanItem> = {}): PlanItem => ({ id, bytes, policy: "p", holders: [], ...more });

/** Estates of all shapes: shared accounts, stores of one domain, quotas that do not suffice, copies that lie about already. */
const estates = fc
  .record({
    stores: fc.array(
      fc.record({
        domain: fc.constantFrom("office", "cloud", "net", "cold"),
        account: fc.constantFrom("own", "a1", "a2"),
        quota: fc.option(fc.integer({ min: 0, max: 400 })),
        quotaObjects: fc.option(fc.integer({ min: 0, max: 12 })),
        freeBytes: fc.integer({ min: 0, max: 200 }),
        perGBMonth: fc.constantFrom(0, 1e9, 3e9),
        region: fc.constantFrom(null, "eu", "us"),
        immutable: fc.boolean(),
        largestObject: fc.constantFrom(60, 1e9),
      }),
      { minLength: 1, maxLength: 7 },
    ),
    items: fc.array(
      fc.record({ bytes: fc.integer({ min: 1, max: 90 }), policy: fc.constantFrom("p", "q"), held: fc.array(fc.nat(6), { maxLength: 3 }) }),
      { maxLength: 25 },
    ),
    policies: fc.tuple(
      ...(["p", "q"] as const).map((name) =>
        fc.record({
          name: fc.constant(name),
          copies: fc.integer({ min: 1, max: 3 }),
          domains: fc.integer({ min: 1, max: 3 }),
          landing: fc.constantFrom(null, "s0"),
          spread: fc.constantFrom("all" as const, "planned" as const),
          regions: fc.constantFrom<string[]>([], ["eu"]),
          immutable: fc.boolean(),
          mostPerMonth: fc.option(fc.integer({ min: 0, max: 300 })),
        }),
      ),
    ),
  })
  .map(({ stores, items, policies }) => {
    // What lies in a store is what the items say, so that usage and holders agree.
    const held = items.map(({ held: at }) => [...new Set(at.filter((n) => n < stores.length))].map((n) => `s${n}`));
    const quotas = new Map(stores.map(({ account, quota, quotaObjects, freeBytes }) => [account, { quota, quotaObjects, freeBytes }]));
    const planStores = stores.map(({ account, perGBMonth, ...store }, n) => {
      const name = `s${n}`;
      const here = items.filter((_, i) => held[i]!.includes(name));
      const own = account === "own";
      return storeNamed(name, {
        ...store,
        ...(own ? { account: name } : { account, ...quotas.get(account) }),
        price: { perGBMonth, minimumPerMonth: 0 },
        used: here.reduce((sum, { bytes }) => sum + bytes, 0),
        usedObjects: here.length,
      });
    });
    return {
      stores: planStores,
      items: items.map(({ bytes, policy }, i): PlanItem => ({ id: `i${String(i).padStart(2, "0")}`, bytes, policy, holders: held[i]! })),
      policies: policies.map((policy) => policyNamed(policy.name, policy)),
    };
  });

const accountsOf = (stores: readonly PlanStore[]): Map<string, PlanStore[]> => {
  const accounts = new Map<string, PlanStore[]>();
  for (const store of stores) accounts.set(store.account, [...(accounts.get(store.account) ?? []), store]);
  return accounts;
};

test("no plan puts more into an account than its quota, and what is told as used is what was placed", () => {
  fc.assert(
    fc.property(estates, ({ items, policies, stores }) => {
      const plan = planPlacement(items, policies, stores);
      for (const of of accountsOf(stores).values()) {
        const loads = plan.stores.filter(({ store }) => of.some(({ name }) => name === store));
        const added = loads.reduce((sum, load) => sum + load.added, 0);
        const used = loads.reduce((sum, load) => sum + load.used, 0);
        const { quota, quotaObjects } = of[0]!;
        // Only what was there before, and is kept, may be more than a quota that is too small for it.
        if (added > 0 && quota !== null) assert.ok(used <= quota, `${used} of ${quota}`);
        const objects = loads.reduce((sum, load) => sum + load.usedObjects, 0);
        if (added > 0 && quotaObjects !== null) assert.ok(objects <= quotaObjects);
      }
      for (const { store, added } of plan.stores) {
        const placed = plan.items.flatMap((item) => (item.placed ? item.choices : [])).filter((choice) => choice.store === store);
        assert.equal(
          added,
          placed.reduce((sum, choice) => sum + choice.adds, 0),
        );
      }
    }),
    { numRuns: 400 },
  );
});

test("what is placed has the copies, domains, regions, immutability and landing store that were promised; nothing is placed in part", () => {
  fc.assert(
    fc.property(estates, ({ items, policies, stores }) => {
      const plan = planPlacement(items, policies, stores);
      assert.equal(plan.items.length, items.length);
      for (const item of plan.items) {
        if (!item.placed) {
          assert.notEqual(item.why, "");
          continue;
        }
        const policy = policies.find(({ name }) => name === item.policy)!;
        const chosen = item.choices.map((choice) => stores.find(({ name }) => name === choice.store)!);
        assert.equal(new Set(chosen).size, chosen.length);
        assert.ok(chosen.length >= policy.copies);
        assert.ok(new Set(chosen.map(({ domain }) => domain)).size >= policy.domains);
        for (const store of chosen) {
          if (policy.regions.length > 0) assert.ok(policy.regions.includes(store.region!));
          if (policy.immutable) assert.ok(store.immutable);
        }
        assert.ok(item.choices.every(({ why }) => why !== ""));
      }
    }),
    { numRuns: 400 },
  );
});

test("no policy is made to spend more than its ceiling", () => {
  fc.assert(
    fc.property(estates, ({ items, policies, stores }) => {
      // One policy alone, and nothing there before: then the bill is its.
      const empty = stores.map((store) => ({ ...store, used: 0, usedObjects: 0 }));
      const own = items.filter(({ policy }) => policy === "p").map((item) => ({ ...item, holders: [] }));
      const [policy] = policies;
      const plan = planPlacement(own, [policy!], empty);
      if (policy!.mostPerMonth !== null) {
        const paid = [...accountsOf(empty).values()].every((of) => of.length === 1);
        if (paid) assert.ok(plan.perMonth <= policy!.mostPerMonth + 1e-6, `${plan.perMonth} of ${policy!.mostPerMonth}`);
      }
    }),
    { numRuns: 400 },
  );
});

test("a plan does not depend on the order in which packs and stores are given, nor on anything but them", () => {
  fc.assert(
    fc.property(estates, ({ items, policies, stores }) => {
      const plan = planPlacement(items, policies, stores);
      assert.deepEqual(planPlacement(items.toReversed(), policies, stores), plan);
      const choices = (of: typeof plan) => of.items.map((item) => (item.placed ? item.choices : item.why));
      assert.deepEqual(choices(planPlacement(items, policies, stores.toReversed())), choices(plan));
    }),
    { numRuns: 200 },
  );
});

/** What a plan did, as the next one finds it. */
const afterPlan = (items: readonly PlanItem[], stores: readonly PlanStore[], plan: ReturnType<typeof planPlacement>) => {
  const chosen = new Map(plan.items.map((item) => [item.id, item.placed ? item.choices.map(({ store }) => store) : []]));
  return {
    items: items.map((item) => ({ ...item, holders: [...new Set([...item.holders, ...(chosen.get(item.id) ?? [])])] })),
    stores: stores.map((store) => {
      const { used, usedObjects } = plan.stores.find((load) => load.store === store.name)!;
      return { ...store, used, usedObjects };
    }),
  };
};
const planned = estates.map(({ policies, ...estate }) => ({
  ...estate,
  policies: policies.map((policy) => ({ ...policy, spread: "planned" as const })),
}));

test("a store that joins moves nothing of what has its place", () => {
  fc.assert(
    fc.property(planned, ({ items, policies, stores }) => {
      const first = planPlacement(items, policies, stores);
      const kept = afterPlan(items, stores, first);
      const joined = [...kept.stores, storeNamed("new", { region: "eu", immutable: true })];
      const second = planPlacement(kept.items, policies, joined);
      for (const [at, item] of second.items.entries()) {
        if (first.items[at]!.placed) assert.ok(item.placed && item.choices.every(({ adds }) => adds === 0), JSON.stringify(item));
      }
    }),
    { numRuns: 300 },
  );
});

test("when a store leaves, only what it had moves, and no more of it than has to", () => {
  fc.assert(
    fc.property(planned, fc.nat(6), ({ items, policies, stores }, which) => {
      const leaving = `s${which % stores.length}`;
      const first = planPlacement(items, policies, stores);
      const kept = afterPlan(items, stores, first);
      const without = kept.stores.map((store) => (store.name === leaving ? { ...store, leaving: true } : store));
      const second = planPlacement(kept.items, policies, without);
      for (const [at, item] of second.items.entries()) {
        const before = first.items[at]!;
        if (!before.placed || !item.placed) continue;
        const moved = item.choices.filter(({ adds }) => adds > 0);
        if (!before.choices.some(({ store }) => store === leaving)) assert.equal(moved.length, 0);
        // One copy is lost; it may have been the only one of its domain.
        else assert.ok(moved.length <= 1, JSON.stringify(item));
        assert.ok(item.choices.every(({ store }) => store !== leaving));
      }
    }),
    { numRuns: 300 },
  );
});

test("several accounts of one provider are several quotas and one failure domain", () => {
  const stores = [
    storeNamed("one", { domain: "blob", quota: 100 }),
    storeNamed("two", { domain: "blob", quota: 100 }),
    storeNamed("disk", { domain: "office" }),
  ];
  const plan = planPlacement([pack("a", 80), pack("b", 80), pack("c", 80)], [policyNamed("p")], stores);
  assert.deepEqual(
    plan.items.map((item) => (item.placed ? item.choices.map(({ store }) => store) : item.why)),
    [["disk", "one"], ["disk", "two"], "1 of 2 copies in 1 of 2 domains have a place: raise a quota, add a store, or keep less"],
  );
  assert.deepEqual(plan.items[2]!.passed, [
    { store: "one", code: "quota", why: "has room for 20 B of its 100 B, and 80 B would go there" },
    { store: "two", code: "quota", why: "has room for 20 B of its 100 B, and 80 B would go there" },
  ]);
  // Two containers of one account share what is free there.
  const shared = [storeNamed("x", { account: "acc", quota: 100 }), storeNamed("y", { account: "acc", quota: 100 }), storeNamed("disk")];
  assert.equal(planPlacement([pack("a", 60)], [policyNamed("p", { copies: 3, domains: 3 })], shared).items[0]!.placed, false);
});

test("what is free comes first, then what is cheap; what costs is told", () => {
  const stores = [
    storeNamed("disk"),
    storeNamed("dear", { price: { perGBMonth: 0.02, minimumPerMonth: 0 } }),
    storeNamed("free", { quota: 5e9, freeBytes: 5e9, price: { perGBMonth: 0.018, minimumPerMonth: 0 } }),
  ];
  const items = ["a", "b", "c"].map((id) => pack(id, 2e9));
  const plan = planPlacement(items, [policyNamed("p", { landing: "disk" })], stores);
  assert.deepEqual(
    plan.items.map((item) => item.placed && item.choices[1]!.store),
    ["free", "free", "dear"],
  );
  assert.equal(plan.perMonth, 0.04);
  const ceiling = planPlacement(items, [policyNamed("p", { landing: "disk", mostPerMonth: 0.03 })], stores).items[2]!;
  assert.equal(ceiling.placed, false);
  assert.match(ceiling.passed[1]!.why, /would cost 0\.04 dollars a month more, and the policy spends 0\.00 of its 0\.03 dollars/);
});

test("every reason why a store is passed over is told", () => {
  const stores = [
    storeNamed("gone", { leaving: true }),
    storeNamed("us", { region: "us" }),
    storeNamed("nowhere"),
    storeNamed("mutable", { region: "eu" }),
    storeNamed("unpriced", { region: "eu", immutable: true, price: null }),
    storeNamed("small", { region: "eu", immutable: true, largestObject: 10 }),
    storeNamed("many", { region: "eu", immutable: true, quotaObjects: 3, usedObjects: 3 }),
  ];
  const [item] = planPlacement([pack("a", 20)], [policyNamed("p", { regions: ["eu"], immutable: true, mostPerMonth: 9 })], stores).items;
  assert.deepEqual(Object.fromEntries(item!.passed.map(({ store, code }) => [store, code])), {
    ...{ gone: "leaving", us: "region", nowhere: "region", mutable: "immutability", unpriced: "price" },
    ...{ small: "object-size", many: "objects" },
  });
});

test("a forecast says when an allowance is full, what that costs, and when a promise cannot be kept", () => {
  const stores = [
    storeNamed("disk", { quota: 400 }),
    storeNamed("free", { quota: 100, freeBytes: 100 }),
    storeNamed("paid", { quota: 100, price: { perGBMonth: 1e9, minimumPerMonth: 0 } }),
  ];
  const policies = [policyNamed("p", { landing: "disk" })];
  const forecast = forecastPlacement({ policies, stores, items: [pack("a", 50)], growth: { p: 10 }, days: 40, packBytes: 10 });
  assert.deepEqual(forecast.stores, [
    { store: "disk", quota: 400, used: 200, fullOn: null, costsFrom: null },
    { store: "free", quota: 100, used: 100, fullOn: 6, costsFrom: null },
    { store: "paid", quota: 100, used: 100, fullOn: 16, costsFrom: 6 },
  ]);
  assert.equal(forecast.policies[0]!.refusedOn, 16);
  assert.equal(forecast.days.length, 41);
  assert.deepEqual(forecast.days[6], { day: 6, used: [110, 100, 10], perMonth: 10 });
});

test("a copy in a store that archives is made beside the promised ones, and is none of them", () => {
  const stores = ["disk", "azure", "peers"].map((name) => storeNamed(name));
  const policy = { landing: "disk", stores: ["azure", "peers"], extra: ["azure"] };
  const chosen = (more: Partial<PlanPolicy>, holders: readonly string[] = []) => {
    const [item] = planPlacement([pack("a", 10, { holders })], [policyNamed("p", { ...policy, ...more })], stores).items;
    return item!.placed ? item!.choices.map(({ store }) => store) : item!.why;
  };
  assert.deepEqual(chosen({ spread: "all" }), ["disk", "peers", "azure"]);
  assert.deepEqual(chosen({}), ["disk", "peers"]);
  // What it holds stays, and another copy is made all the same.
  assert.deepEqual(chosen({}, ["disk", "azure"]), ["disk", "azure", "peers"]);
  assert.equal(chosen({ stores: ["azure"] }), "1 of 2 copies in 1 of 2 domains have a place: raise a quota, add a store, or keep less");
});
