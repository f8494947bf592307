import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { judgeRenewals } from "../../core/domain/renewal-verdict.ts";
import { doubtedBelow, findingKinds, inOrderOfTrust, shareOf, trustOf } from "../../core/domain/store-trust.ts";

const day = 86_400_000;
const cover = { everyMs: day / 4, coverMs: 30 * day, blocks: 4 };
const evidence = fc.array(
  fc.record({ kind: fc.constantFrom("proven" as const, ...findingKinds), ageDays: fc.nat(400), answers: fc.nat(100_000) }),
);

test("trust: one that never failed is believed wholly; a changed object, lost ones and days away cost as the page says", () => {
  const proven = { kind: "proven", ageDays: 0, answers: 1_000 } as const;
  assert.equal(trustOf([]), 1);
  assert.equal(trustOf([proven]), 1);
  const after = (kind: (typeof findingKinds)[number], answers: number, ageDays = 0) =>
    Number(trustOf([proven, { kind, ageDays, answers }]).toFixed(2));
  assert.deepEqual([after("changed", 1), after("missing", 10), after("unreachable", 1), after("throttled", 5)], [0.67, 0.29, 0.98, 0.95]);
  assert.deepEqual([after("changed", 1, 30), after("changed", 1, 300)], [0.8, 1]);
  assert.equal(after("unfunded", 9), 1, "money says nothing about bytes");
});

test("trust lies between 0 and 1; what is wrong never raises it, right answers never lower it", () => {
  fc.assert(
    fc.property(evidence, fc.constantFrom(...findingKinds), (answers, kind) => {
      const trust = trustOf(answers);
      assert.ok(trust > 0 && trust <= 1);
      assert.ok(trustOf([...answers, { kind, ageDays: 0, answers: 1 }]) <= trust);
      assert.ok(trustOf([...answers, { kind: "proven", ageDays: 0, answers: 1 }]) >= trust);
    }),
  );
});

test("a pass's share covers all within the period, whatever the trust; a backlog makes it four times as long at most", () => {
  assert.deepEqual(shareOf(1_200, 0, 1, cover), { copies: 10, blocks: 4 });
  assert.deepEqual(shareOf(1_200, 1_200, 1, cover), { copies: 40, blocks: 4 });
  assert.deepEqual(shareOf(1_200, 0, 0.5, cover), { copies: 20, blocks: 8 });
  assert.deepEqual(shareOf(0, 0, 1, cover), { copies: 0, blocks: 4 });
  fc.assert(
    fc.property(fc.nat(100_000), fc.double({ min: 0.01, max: 1, noNaN: true }), (copies, trust) => {
      const share = shareOf(copies, 0, trust, cover);
      assert.ok(share.copies * 120 >= copies && share.copies <= copies && share.blocks >= 4 && share.blocks <= 32);
      if (trust < doubtedBelow) assert.ok(share.copies >= Math.min(copies, Math.ceil(copies / 120)));
    }),
  );
});

test("passes one after the other ask every copy within the period, longest ago first", () => {
  const asked = Array.from({ length: 1_001 }, (_, at) => -(at % 7));
  const passes = cover.coverMs / cover.everyMs;
  for (let pass = 1; pass <= passes; pass += 1) {
    const { copies } = shareOf(asked.length, 0, 1, cover);
    const due = asked.map((at, copy) => ({ at, copy })).sort((a, b) => a.at - b.at);
    for (const { copy } of due.slice(0, copies)) asked[copy] = pass;
  }
  assert.ok(asked.every((at) => at > 0));
});

test("doubted stores are read last, the others in their order", () => {
  const trust = new Map([
    ["a", 0.3],
    ["b", 0.95],
    ["d", 0.6],
  ]);
  assert.deepEqual(inOrderOfTrust(["a", "b", "c", "d"], trust), ["b", "c", "d", "a"]);
});

test("what ends: money goes before dates, and a store's own words are told", () => {
  const now = new Date("2026-11-24T00:00:00Z");
  const judge = (until: string | null, fundedUntil: string | null, problem?: string) =>
    judgeRenewals("sia", [{ what: "a contract", until, fundedUntil, ...(problem === undefined ? {} : { problem }) }], 30, now);
  assert.deepEqual(judge(null, null), []);
  assert.deepEqual(judge("2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z"), []);
  assert.deepEqual(judge("2026-12-01T00:00:00Z", null), [
    { kind: "ending", message: "a contract in store sia ends on 2026-12-01, and was not renewed" },
  ]);
  assert.deepEqual(judge("2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z", "no host takes it"), [
    { kind: "unfunded", message: "the money for a contract in store sia reaches until 2026-12-02: no host takes it" },
  ]);
  assert.deepEqual(judge(null, null, "the wallet is locked"), [
    { kind: "ending", message: "a contract in store sia: the wallet is locked" },
  ]);
});
