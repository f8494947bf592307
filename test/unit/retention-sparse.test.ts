import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isRetiring, type PackFacts, planSparsePacks, type SparseRules } from "../../core/domain/retention-sparse.ts";

const now = new Date("2026-11-24T05:00:00Z");
const later = (days: number): Date => new Date(now.getTime() + days * 86_400_000);

const rules: SparseRules = {
  below: 0.3,
  bytesPerRun: 1_000,
  room: Number.POSITIVE_INFINITY,
  youngAfter: later(-1),
  paysBy: later(400),
  now,
};

const pack = (id: string, facts: Partial<PackFacts> = {}): PackFacts => ({
  id,
  bytes: 1_000,
  liveBytes: 100,
  neededBytes: 100,
  ranges: [{ id: `range of ${id}`, bytes: 300 }],
  writtenAt: later(-30),
  retiring: false,
  held: false,
  stays: false,
  abandoned: false,
  forever: false,
  lockedUntil: null,
  billedUntil: null,
  ...facts,
});

const verdicts = (packs: readonly PackFacts[], changed: Partial<SparseRules> = {}): Record<string, string> =>
  Object.fromEntries(planSparsePacks(packs, { ...rules, ...changed }).map(({ id, verdict }) => [id, verdict]));

test("a sparse pack is rewritten, unless something speaks against it", () => {
  const found = verdicts([
    pack("sparse"),
    pack("full", { liveBytes: 300 }),
    pack("only old ones", { ranges: [], neededBytes: 0 }),
    pack("moved before", { ranges: [], neededBytes: 0, retiring: true, stays: true }),
    pack("young", { writtenAt: now }),
    pack("held", { held: true }),
    pack("stays", { stays: true }),
    pack("abandoned", { abandoned: true }),
    pack("forever", { forever: true }),
    pack("locked", { lockedUntil: later(401) }),
    pack("locked for a while", { lockedUntil: later(30) }),
    pack("billed", { billedUntil: later(1) }),
    pack("was billed", { billedUntil: later(-1) }),
  ]);
  assert.deepEqual(found, {
    abandoned: "abandoned",
    billed: "billed",
    forever: "forever",
    held: "held",
    locked: "locked",
    "locked for a while": "rewrite",
    "moved before": "moved",
    "only old ones": "old",
    sparse: "rewrite",
    stays: "stays",
    "was billed": "rewrite",
    young: "young",
  });
});

test("what frees most for what is read goes first, and no more is read than the budget", () => {
  const packs = [
    pack("dear", { ranges: [{ id: "r1", bytes: 900 }] }),
    pack("cheap", { ranges: [{ id: "r2", bytes: 200 }] }),
    pack("middling", { ranges: [{ id: "r3", bytes: 700 }] }),
    pack("hardly worth it", { ranges: [{ id: "r4", bytes: 100_000 }] }),
  ];
  assert.deepEqual(verdicts(packs), { cheap: "rewrite", dear: "budget", "hardly worth it": "costly", middling: "rewrite" });
  assert.deepEqual(Object.values(verdicts(packs, { bytesPerRun: 0 })), ["off", "off", "off", "off"]);
  assert.deepEqual(verdicts(packs, { room: 150 }), { cheap: "rewrite", dear: "budget", "hardly worth it": "costly", middling: "room" });
});

test("a range that is read anyway costs the next pack nothing", () => {
  const shared = { id: "shared", bytes: 900 };
  const packs = [
    pack("a", { ranges: [shared] }),
    pack("b", { ranges: [shared] }),
    // Ranked before the others, and too dear until they have paid for its range.
    pack("c", { ranges: [shared, { id: "c's own", bytes: 50 }], bytes: 2_000 }),
  ];
  assert.deepEqual(verdicts(packs), { a: "rewrite", b: "rewrite", c: "rewrite" });
  const alone = pack("d", { bytes: 60, liveBytes: 10, neededBytes: 10, ranges: [shared] });
  assert.deepEqual(verdicts([alone]), { d: "costly" });
  assert.deepEqual(verdicts([alone, packs[0]!]), { a: "rewrite", d: "rewrite" });
});

const anyFacts: fc.Arbitrary<PackFacts> = fc
  .record({
    id: fc.uuid(),
    bytes: fc.integer({ min: 1, max: 2_000 }),
    live: fc.float({ min: 0, max: 1, noNaN: true }),
    needed: fc.float({ min: 0, max: 1, noNaN: true }),
    ranges: fc.uniqueArray(fc.integer({ min: 0, max: 15 }), { maxLength: 4 }),
    age: fc.integer({ min: 0, max: 60 }),
    flags: fc.tuple(fc.boolean(), ...Array.from({ length: 4 }, () => fc.integer({ min: 0, max: 5 }))),
    locked: fc.option(fc.integer({ min: -10, max: 800 })),
    billed: fc.option(fc.integer({ min: -10, max: 30 })),
  })
  .map(({ id, bytes, live, needed, ranges, age, flags: [retiring, held, stays, abandoned, forever], locked, billed }) => {
    const liveBytes = Math.floor(bytes * live);
    return pack(id, {
      ...{ bytes, liveBytes, retiring, held: held === 0, stays: stays === 0, abandoned: abandoned === 0, forever: forever === 0 },
      neededBytes: ranges.length === 0 ? 0 : Math.floor(liveBytes * needed),
      ranges: ranges.map((n) => ({ id: `r${n}`, bytes: n * 40 })),
      writtenAt: later(-age),
      lockedUntil: locked === null ? null : later(locked),
      billedUntil: billed === null ? null : later(billed),
    });
  });
const anyPacks = fc.uniqueArray(anyFacts, { selector: ({ id }) => id, maxLength: 40 });
const anyRules = fc
  .record({ below: fc.float({ min: 0, max: 1, noNaN: true }), bytesPerRun: fc.nat(3_000), room: fc.nat(5_000) })
  .map((some) => ({ ...rules, ...some }));

test("the budget and the room hold, and nothing is rewritten that would free nothing", () => {
  fc.assert(
    fc.property(anyPacks, anyRules, (packs, some) => {
      const facts = new Map(packs.map((one) => [one.id, one]));
      const plan = planSparsePacks(packs, some);
      const rewritten = plan.filter(({ verdict }) => verdict === "rewrite").map(({ id }) => facts.get(id)!);
      const ranges = new Map(rewritten.flatMap((one) => one.ranges.map(({ id, bytes }) => [id, bytes])));
      assert.ok([...ranges.values()].reduce((sum, bytes) => sum + bytes, 0) <= some.bytesPerRun);
      assert.ok(rewritten.reduce((sum, { neededBytes }) => sum + neededBytes, 0) <= some.room);
      for (const one of rewritten) {
        assert.ok(one.liveBytes < some.below * one.bytes && one.bytes > one.neededBytes, "it frees something");
        assert.ok(one.ranges.length > 0, "a capture moves it");
        assert.ok(!one.held && !one.stays && !one.abandoned && !one.forever && one.writtenAt <= some.youngAfter);
        assert.ok(one.lockedUntil === null || one.lockedUntil <= some.paysBy);
        assert.ok(one.billedUntil === null || one.billedUntil <= now);
      }
      for (const { id, verdict } of plan) if (isRetiring(verdict) && !facts.get(id)!.retiring) assert.equal(verdict, "rewrite");
      if (some.bytesPerRun === 0) assert.ok(plan.every(({ verdict }) => !isRetiring(verdict)));
    }),
  );
});

test("equal facts give an equal plan, in whatever order they come", () => {
  fc.assert(
    fc.property(anyPacks, anyRules, fc.infiniteStream(fc.nat()), (packs, some, order) => {
      const keyed = packs.map((one) => ({ one, key: order.next().value as number }));
      const shuffled = keyed.toSorted((a, b) => a.key - b.key).map(({ one }) => one);
      assert.deepEqual(planSparsePacks(shuffled, some), planSparsePacks(packs, some));
    }),
  );
});
