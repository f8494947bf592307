import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openPace } from "../../activities/replicate/pace.ts";
import type { PlanPolicy, PlanStore } from "../../core/domain/placement-plan.ts";
import { planRelocation } from "../../core/domain/relocation.ts";

const storeNamed = (name: string, more: Partial<PlanStore> = {}): PlanStore => ({
  ...{ name, domain: name, account: name, quota: null, quotaObjects: null, used: 0, usedObjects: 0, freeBytes: 0 },
  ...{ price: { perGBMonth: 0, minimumPerMonth: 0 }, region: null, immutable: false, largestObject: 1e15, leaving: false },
  ...more,
});
const policy = (more: Partial<PlanPolicy> = {}): PlanPolicy => ({
  ...{ name: "p", landing: "disk", stores: ["old", "new"], copies: 2, domains: 2, spread: "all" as const, regions: [], immutable: false },
  ...{ mostPerMonth: null, spends: 0 },
  ...more,
});
const object = (key: string, ...holders: string[]) => ({ key, bytes: 10, policy: "p", holders });
const stores = [storeNamed("disk"), storeNamed("old", { leaving: true }), storeNamed("new")];
const moved = (relocation: ReturnType<typeof planRelocation>): string[] => relocation.moves.map(({ key, to }) => `${key} to ${to}`);

test("of a store that is left only what would have too few copies is copied", () => {
  const objects = [object("a", "disk", "old"), object("b", "old"), object("c", "disk", "old", "new")];
  assert.deepEqual(moved(planRelocation(objects, [policy()], stores, true)), ["a to new", "b to disk", "b to new"]);
});

test("a store that left the configuration is left like any other", () => {
  const left = planRelocation([object("a", "disk", "old")], [policy()], [stores[0]!, stores[2]!], true);
  assert.deepEqual(moved(left), ["a to new"]);
});

test("where the policy's promise has no place, what only the left store has is copied once all the same, and told", () => {
  const small = [storeNamed("disk"), stores[1]!, storeNamed("new", { quota: 5 })];
  const left = planRelocation([object("a", "old"), object("b", "disk", "old")], [policy()], small, true);
  assert.deepEqual(moved(left), ["a to disk"]);
  assert.deepEqual(
    left.left.map(({ key }) => key),
    ["a", "b"],
  );
  assert.match(left.left[0]!.why, /1 of 2 copies in 1 of 2 domains have a place: .*\(old is being left; new has room for 5 B of its 5 B/);
});

test("when no store is left, every store that the policy names gets its copy; one that has no room is told", () => {
  const joined = [storeNamed("disk"), storeNamed("old"), storeNamed("new")];
  assert.deepEqual(moved(planRelocation([object("a", "disk", "old")], [policy()], joined, false)), ["a to new"]);
  assert.deepEqual(moved(planRelocation([object("a", "disk", "old")], [policy({ spread: "planned" })], joined, false)), []);
  const full = planRelocation([object("a", "disk", "old")], [policy()], [joined[0]!, joined[1]!, storeNamed("new", { quota: 1 })], false);
  assert.deepEqual([full.moves.length, full.left.length], [0, 1]);
});

test("whatever lies where: after its moves nothing is short that is not told, and what is repeated moves nothing", () => {
  const names = ["disk", "old", "new", "far"];
  fc.assert(
    fc.property(
      fc.array(fc.subarray(names, { minLength: 1 }), { maxLength: 12 }),
      fc.array(fc.option(fc.integer({ min: 0, max: 60 })), { minLength: 4, maxLength: 4 }),
      fc.boolean(),
      (held, quotas, left) => {
        const objects = held.map((holders, n) => object(`o${n}`, ...holders));
        const placed = names.map((name, n) =>
          storeNamed(name, {
            quota: quotas[n]!,
            leaving: left && name === "old",
            used: 10 * held.filter((holders) => holders.includes(name)).length,
          }),
        );
        const policies = [policy({ stores: ["old", "new", "far"] })];
        const first = planRelocation(objects, policies, placed, left);
        const after = objects.map((one) => ({
          ...one,
          holders: [...one.holders, ...first.moves.filter(({ key }) => key === one.key).map(({ to }) => to)],
        }));
        const told = new Set(first.left.map(({ key }) => key));
        for (const { key, holders } of after) {
          const counted = holders.filter((holder) => !(left && holder === "old"));
          assert.ok(counted.length >= 2 || told.has(key), `${key}: ${counted}`);
        }
        const filled = placed.map((store) => ({ ...store, used: 10 * after.filter(({ holders }) => holders.includes(store.name)).length }));
        for (const { quota, used, name } of filled)
          if (quota !== null && first.moves.some(({ to }) => to === name)) assert.ok(used <= quota);
        assert.deepEqual(planRelocation(after, policies, filled, left).moves, []);
      },
    ),
  );
});

test("a pace lets bytes go at its rate, saves nothing up, and ends with its signal", async () => {
  let clock = 0;
  const waits: number[] = [];
  const signal = new AbortController().signal;
  const pace = openPace(1_000_000, () => clock);
  const go = (bytes: number) =>
    pace(bytes, signal, (ms) => {
      waits.push(ms);
      clock += ms;
    });
  await go(20_000);
  assert.deepEqual(waits, []);
  await go(5_000);
  assert.deepEqual(waits, [20]);
  clock += 60_000;
  await go(10_000);
  await go(1);
  assert.deepEqual(waits, [20, 10]);
  await openPace(null)(1e15, signal, () => assert.fail("nothing waits without a rate"));
  const stop = new AbortController();
  const stopped = openPace(1);
  await stopped(1e6, stop.signal, () => {});
  await assert.rejects(
    stopped(1, stop.signal, () => stop.abort(new Error("stopped"))),
    /stopped/,
  );
});
