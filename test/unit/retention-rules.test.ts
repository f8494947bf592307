import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { configuredRules } from "../../core/config/configured-rules.ts";
import { ageBefore, isAge, isShorterAge } from "../../core/domain/age.ts";
import { shortestGapMs } from "../../core/domain/cron.ts";
import { durationMs } from "../../core/domain/duration.ts";
import { planRetention, type RetainedSnapshot } from "../../core/domain/retention.ts";
import { mostExtraADay, retentionAlarm } from "../../core/domain/retention-alarm.ts";
import { keepingMore, type RetentionRules, rulesOf, rulesProblem, shortenings } from "../../core/domain/retention-rules.ts";
import { countedAt, regularSnapshots } from "../../core/domain/snapshot-spacing.ts";
import { exampleConfig } from "../sample/example-config.ts";

const hour = 3_600_000;
const day = 24 * hour;
const rules: RetentionRules = {
  ...{ last: 7, daily: 7, weekly: 5, monthly: 12, yearly: 7, extra: 3 },
  ...{ minimumAge: "1d", mostPerRun: 50, grace: "1d", spacing: "12h" },
};
const at = (text: string): Date => new Date(text);

test("ages are those of the calendar: seven years with their leap days, six years, thirty days", () => {
  assert.equal(ageBefore(at("2026-11-24T02:15:00Z"), "7y").toISOString(), "2019-11-24T02:15:00.000Z");
  assert.equal(ageBefore(at("2026-11-24T02:15:00Z"), "6y").toISOString(), "2020-11-24T02:15:00.000Z");
  assert.equal(ageBefore(at("2026-03-01T00:00:00Z"), "30d").toISOString(), "2026-01-30T00:00:00.000Z");
  assert.equal(ageBefore(at("2028-02-29T12:00:00Z"), "7y").toISOString(), "2021-02-28T12:00:00.000Z", "never a day short");
  assert.equal(ageBefore(at("2026-03-31T12:00:00Z"), "1mo").toISOString(), "2026-02-28T12:00:00.000Z");
  assert.equal(ageBefore(at("2026-01-15T12:00:00Z"), "1mo").toISOString(), "2025-12-15T12:00:00.000Z");
  assert.ok(isAge("7y") && isAge("30d") && !isAge("7") && !isAge("y") && !isAge("-1d") && !isAge("7 y"));
  assert.ok(isShorterAge("30d", "1y") && !isShorterAge("1y", "30d") && !isShorterAge("12mo", "1y"));
});

test("property: an age never lies later for an earlier day", () => {
  const instant = fc.integer({ min: Date.parse("2019-01-01T00:00:00Z"), max: Date.parse("2032-01-01T00:00:00Z") });
  fc.assert(
    fc.property(instant, fc.integer({ min: 0, max: 400 }), fc.constantFrom("1mo", "1y", "7y", "30d"), (time, days, age) => {
      assert.ok(ageBefore(new Date(time), age) <= ageBefore(new Date(time + days * day), age));
    }),
  );
});

test("a record class lengthens the minimum, and shortens the maximum; the database overrides its policy", () => {
  const sox = rulesOf(rules, { daily: 30, monthly: undefined }, { minimumAge: "7y" });
  assert.deepEqual([sox.daily, sox.monthly, sox.minimumAge, sox.maximumAge], [30, 12, "7y", undefined]);
  assert.equal(rulesOf({ ...rules, minimumAge: "10y" }, {}, { minimumAge: "7y" }).minimumAge, "10y");
  assert.equal(rulesOf({ ...rules, maximumAge: "90d" }, {}, { maximumAge: "30d" }).maximumAge, "30d");
  assert.equal(rulesProblem(rulesOf(rules, {}, { maximumAge: "30d" })), undefined);
  assert.equal(
    rulesProblem(rulesOf({ ...rules, minimumAge: "60d" }, {}, { maximumAge: "30d" })),
    "must keep snapshots for 60d and delete them after 30d",
  );
});

test("whatever keeps less is told, and nothing else", () => {
  assert.deepEqual(shortenings(rules, { ...rules, daily: 30, minimumAge: "2d", mostPerRun: 10 }), []);
  assert.deepEqual(shortenings({ ...rules, maximumAge: "1y" }, rules), []);
  assert.deepEqual(shortenings(rules, { ...rules, daily: 3, minimumAge: "1h", maximumAge: "30d", mostPerRun: 500, spacing: "1d" }), [
    "daily: 7 → 3",
    "minimumAge: 1d → 1h",
    "maximumAge: none → 30d",
    "mostPerRun: 50 → 500",
    "spacing: 12h → 1d",
  ]);
  const both = keepingMore(rules, { ...rules, daily: 3, monthly: 24, maximumAge: "30d", grace: "0s" });
  assert.deepEqual([both.daily, both.monthly, both.maximumAge, both.grace], [7, 24, undefined, "1d"]);
  assert.deepEqual(shortenings(rules, both), []);
});

test("another spacing waits for two persons, a shorter one, too: with it a flood counts, and takes the places of what is kept", () => {
  const lastOnly = { ...rules, last: 3, daily: 0, weekly: 0, monthly: 0, yearly: 0, minimumAge: "0s" };
  const now = new Date("2026-11-24T12:00:00Z");
  const ago = (ms: number) => ({ snapshot: `s-${ms}`, capturedAt: new Date(now.getTime() - ms), sealedAt: new Date(now.getTime() - ms) });
  const nights = [3, 2, 1].map((n) => ago(n * day));
  const all = [...nights, ...[3, 2, 1].map((n) => ago(n * hour))];
  const gone = ({ spacing, ...others }: RetentionRules): string[] => {
    const regular = regularSnapshots(all, durationMs(spacing));
    const live = all.map((one) => ({ ...one, replicated: true, verified: true, held: false, extra: !regular.has(one.snapshot) }));
    return [...planRetention(live, { ...others, spacing }, "UTC", now).deletions];
  };
  assert.deepEqual(gone(lastOnly), [nights[0]!.snapshot], "the first of today counts");
  const shorter = { ...lastOnly, spacing: "0s" };
  assert.deepEqual(
    gone(shorter),
    nights.map(({ snapshot }) => snapshot),
  );
  assert.deepEqual(shortenings(lastOnly, shorter), ["spacing: 12h → 0s"]);
  assert.deepEqual(gone(keepingMore(lastOnly, shorter)), gone(lastOnly));
  assert.deepEqual(shortenings({ ...rules, spacing: "43200s" }, rules), [], "the same in other words");
});

test("the spacing is half of the schedule's shortest pause", () => {
  const gaps = ["15 2 * * *", "0 */6 * * *", "0,20 3 * * *", "*/15 * * * *", "0 9-17 * * MON-FRI", "30 22,1 * * *"].map(shortestGapMs);
  assert.deepEqual(gaps, [day, 6 * hour, hour / 3, hour / 4, hour, 3 * hour]);
  const nightly = exampleConfig.policies[0]!;
  const spacingOf = (policy: typeof nightly) => configuredRules(exampleConfig, policy, exampleConfig.databases[0]!).spacing;
  assert.equal(durationMs(spacingOf(nightly)), 12 * hour);
  assert.equal(durationMs(spacingOf({ ...nightly, schedule: { ...nightly.schedule, cron: "*/15 * * * *" } })), hour / 8);
  assert.equal(spacingOf({ ...nightly, retention: { ...nightly.retention, spacing: "0s" } }), "0s");
});

const start = Date.parse("2026-01-01T02:15:00Z");
const sealed = (snapshot: string, time: number, capturedAt = time) => ({
  snapshot,
  capturedAt: new Date(capturedAt),
  sealedAt: new Date(time + 60_000),
});

test("what comes between the runs of the schedule is extra, and changes nothing for those", () => {
  const nights = Array.from({ length: 10 }, (_, night) => sealed(`night-${night}`, start + night * day));
  const flood = Array.from({ length: 200 }, (_, n) => sealed(`forged-${n}`, start + 9 * day + hour + n * 60_000));
  const names = nights.map(({ snapshot }) => snapshot);
  assert.deepEqual([...regularSnapshots([...flood, ...nights], 12 * hour)], names);
  // A later night still counts after a flood, and with no spacing everything counts.
  const next = sealed("night-10", start + 10 * day);
  assert.ok(regularSnapshots([...nights, ...flood, next], 12 * hour).has("night-10"));
  assert.equal(regularSnapshots([...nights, ...flood], 0).size, 210);
});

test("a snapshot cannot be dated into another month, or into the future", () => {
  const honest = sealed("a", start);
  assert.deepEqual(countedAt(honest), honest.capturedAt);
  for (const forged of [start - 60 * day, start + 400 * day]) {
    const lie = sealed("lie", start + hour, forged);
    assert.deepEqual(countedAt(lie), lie.sealedAt);
    assert.deepEqual([...regularSnapshots([honest, lie], 12 * hour)], ["a"]);
  }
});

test("property: what is sealed later, and what was removed, never changes whether an earlier snapshot counts", () => {
  const times = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 });
  fc.assert(
    fc.property(times, fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 48 }), (hours, cut, spacing) => {
      const all = hours.toSorted((a, b) => a - b).map((at, n) => sealed(String(n).padStart(3, "0"), start + at * hour));
      const early = all.slice(0, cut);
      const before = regularSnapshots(early, spacing * hour);
      const after = regularSnapshots(all, spacing * hour);
      assert.deepEqual(
        [...before],
        [...after].filter((snapshot) => early.some((one) => one.snapshot === snapshot)),
      );
    }),
  );
});

test("a flood of forged snapshots pushes no real one out of its place, and the oldest extra ones go first", () => {
  const night = (n: number, extra: Partial<RetainedSnapshot> = {}): RetainedSnapshot => ({
    ...{ snapshot: `night-${n}`, capturedAt: new Date(start + n * day), replicated: true, verified: true, held: false },
    ...extra,
  });
  const nights = Array.from({ length: 40 }, (_, n) => night(n));
  const forged = Array.from({ length: 500 }, (_, n): RetainedSnapshot => {
    const capturedAt = new Date(start + 39 * day + hour + n * 60_000);
    return { snapshot: `forged-${n}`, capturedAt, replicated: true, verified: true, held: false, extra: true };
  });
  const now = new Date(start + 42 * day);
  const keptOf = (snapshots: readonly RetainedSnapshot[], counted = rules) =>
    planRetention(snapshots, { ...counted, mostPerRun: 10_000 }, "UTC", now)
      .decisions.filter(({ action }) => action === "keep")
      .map(({ snapshot }) => snapshot);
  const real = keptOf(nights);
  const both = keptOf([...nights, ...forged]);
  assert.deepEqual(
    both.filter((snapshot) => snapshot.startsWith("night")),
    real,
  );
  assert.deepEqual(
    both.filter((snapshot) => snapshot.startsWith("forged")),
    ["forged-499", "forged-498", "forged-497"],
  );
  // It must fail where the forged ones count: then the newest of the last day is one of theirs.
  const counted = keptOf([...nights, ...forged.map((one) => ({ ...one, extra: false }))]);
  assert.ok(real.some((snapshot) => !counted.includes(snapshot)));
});

test("one run lets go of so many at most, and of what is older than the maximum whatever the counts say", () => {
  const nights = Array.from({ length: 60 }, (_, n): RetainedSnapshot => {
    return {
      snapshot: `n${String(n).padStart(2, "0")}`,
      capturedAt: new Date(start + n * day),
      replicated: true,
      verified: true,
      held: n === 3,
    };
  });
  const now = new Date(start + 60 * day);
  const plan = planRetention(nights, { ...rules, maximumAge: "30d", mostPerRun: 5 }, "UTC", now);
  assert.deepEqual(plan.deletions, ["n00", "n01", "n02", "n04", "n05"]);
  const why = new Map(plan.decisions.map(({ snapshot, action, reasons }) => [snapshot, [action, ...reasons]]));
  assert.deepEqual(why.get("n00"), ["delete", "older than 30d"]);
  assert.deepEqual(why.get("n03"), ["keep", "legal hold"]);
  assert.deepEqual(why.get("n06"), ["keep", "one of the next run: at most 5 go in one"]);
  // The last verified one stays even then, and says why.
  const alone = planRetention(nights.slice(0, 2), { ...rules, maximumAge: "30d" }, "UTC", now);
  assert.deepEqual(
    alone.decisions.map(({ action, reasons }) => [action, ...reasons]),
    [
      ["keep", "newest verified"],
      ["delete", "older than 30d"],
    ],
  );
});

test("an alarm for many extra snapshots, and for a newest one of less than half the rows", () => {
  const now = new Date(start + 10 * day);
  const nights = Array.from({ length: 9 }, (_, n) => ({
    snapshot: `n${n}`,
    at: new Date(start + n * day),
    regular: true,
    rows: 1_000 + n,
  }));
  assert.equal(retentionAlarm(nights, now), undefined);
  const extra = (count: number, rows: number) =>
    Array.from({ length: count }, (_, n) => ({ snapshot: `x${n}`, at: new Date(now.getTime() - hour + n), regular: false, rows }));
  assert.equal(retentionAlarm([...nights, ...extra(mostExtraADay, 900)], now), undefined);
  assert.match(retentionAlarm([...nights, ...extra(mostExtraADay + 1, 900)], now)?.message ?? "", /11 extra snapshots came within a day/);
  assert.match(
    retentionAlarm([...nights, ...extra(1, 499)], now)?.message ?? "",
    /x0, the newest, has 499 rows, less than half of the usual 1005/,
  );
  assert.equal(retentionAlarm([...nights.slice(0, 2), ...extra(1, 0)], now), undefined, "too few to compare with");
  // Forged ones do not make what is usual.
  assert.ok(retentionAlarm([...nights, ...extra(9, 1)], now));
});
