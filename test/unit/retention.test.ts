import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { calendarOf, isoWeek, isTimeZone } from "../../core/domain/calendar.ts";
import { planRetention, type RetainedSnapshot } from "../../core/domain/retention.ts";
import type { RetentionRules } from "../../core/domain/retention-rules.ts";

const dayMs = 86_400_000;
const none: RetentionRules = {
  last: 1,
  daily: 0,
  weekly: 0,
  monthly: 0,
  yearly: 0,
  extra: 0,
  minimumAge: "0s",
  mostPerRun: 10_000,
  grace: "1d",
  spacing: "12h",
};

const snapshot = (capturedAt: string, extra: Partial<RetainedSnapshot> = {}): RetainedSnapshot => ({
  snapshot: capturedAt,
  capturedAt,
  replicated: true,
  verified: true,
  held: false,
  ...extra,
});

const kept = (snapshots: readonly RetainedSnapshot[], policy: RetentionRules, timeZone = "UTC", now = new Date("2030-01-01T00:00:00Z")) =>
  planRetention(snapshots, policy, timeZone, now)
    .decisions.filter(({ action }) => action === "keep")
    .map((decision) => decision.snapshot);

test("each rule keeps the newest snapshot of its periods, and says so", () => {
  const snapshots = [
    snapshot("2026-11-24T10:00:00Z"),
    snapshot("2026-11-24T02:00:00Z"),
    snapshot("2026-11-23T02:00:00Z"),
    snapshot("2026-11-22T02:00:00Z"),
    snapshot("2026-10-31T02:00:00Z"),
    snapshot("2026-10-30T02:00:00Z"),
    snapshot("2025-12-31T02:00:00Z"),
    snapshot("2024-12-31T02:00:00Z"),
  ];
  const plan = planRetention(snapshots, { ...none, daily: 2, weekly: 2, monthly: 2, yearly: 2 }, "UTC", new Date("2026-11-25T00:00:00Z"));
  assert.deepEqual(
    plan.decisions.map(({ snapshot, action, reasons }) => [snapshot, action, reasons]),
    [
      [
        "2026-11-24T10:00:00Z",
        "keep",
        ["last 1 of 1", "daily 2026-11-24", "weekly 2026-W48", "monthly 2026-11", "yearly 2026", "newest verified"],
      ],
      ["2026-11-24T02:00:00Z", "delete", ["no rule keeps it"]],
      ["2026-11-23T02:00:00Z", "keep", ["daily 2026-11-23"]],
      ["2026-11-22T02:00:00Z", "keep", ["weekly 2026-W47"]],
      ["2026-10-31T02:00:00Z", "keep", ["monthly 2026-10"]],
      ["2026-10-30T02:00:00Z", "delete", ["no rule keeps it"]],
      ["2025-12-31T02:00:00Z", "keep", ["yearly 2025"]],
      ["2024-12-31T02:00:00Z", "delete", ["no rule keeps it"]],
    ],
  );
  assert.deepEqual(plan.deletions, ["2024-12-31T02:00:00Z", "2026-10-30T02:00:00Z", "2026-11-24T02:00:00Z"]);
});

test("without a newer verified snapshot that stays, nothing goes", () => {
  const unverified = ["2026-03-03T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z"].map((at) =>
    snapshot(at, { verified: false }),
  );
  assert.deepEqual(planRetention(unverified, none, "UTC", new Date("2027-01-01T00:00:00Z")).deletions, []);
  const [newest, middle, oldest] = unverified as [RetainedSnapshot, RetainedSnapshot, RetainedSnapshot];
  const plan = planRetention([newest, { ...middle, verified: true }, oldest], none, "UTC", new Date("2027-01-01T00:00:00Z"));
  assert.deepEqual(plan.deletions, [oldest.snapshot]);
  assert.deepEqual(plan.decisions[1]!.reasons, ["newest verified"]);
});

test("one verified at the same instant is not a newer one", () => {
  const at = "2026-03-03T00:00:00Z";
  const same = ["b", "a"].map((id) => snapshot(at, { snapshot: id }));
  assert.deepEqual(planRetention(same, none, "UTC", new Date("2027-01-01T00:00:00Z")).deletions, []);
});

test("what is younger than the minimum age, or held, stays", () => {
  const snapshots = [
    snapshot("2026-03-03T12:00:00Z"),
    snapshot("2026-03-03T06:00:00Z"),
    snapshot("2026-03-01T00:00:00Z", { held: true }),
    snapshot("2026-02-01T00:00:00Z"),
  ];
  const plan = planRetention(snapshots, { ...none, minimumAge: "1d" }, "UTC", new Date("2026-03-04T00:00:00Z"));
  assert.deepEqual(plan.deletions, ["2026-02-01T00:00:00Z"]);
  assert.deepEqual(plan.decisions[1]!.reasons, ["younger than 1d"]);
  assert.deepEqual(plan.decisions[2]!.reasons, ["legal hold"]);
});

test("days are those of the time zone, also across a change of the clock", () => {
  const daily = { ...none, daily: 10 };
  // Berlin's clocks went back on 2026-10-25: that day has 25 hours, from 22:00Z to 23:00Z.
  const nights = ["2026-10-25T22:30:00Z", "2026-10-24T22:30:00Z", "2026-10-24T21:30:00Z"].map((at) => snapshot(at));
  assert.deepEqual(kept(nights, daily, "Europe/Berlin"), ["2026-10-25T22:30:00Z", "2026-10-24T21:30:00Z"]);
  assert.deepEqual(kept(nights, daily, "UTC"), ["2026-10-25T22:30:00Z", "2026-10-24T22:30:00Z"]);
  // The day of 23 hours: 2026-03-29 in Berlin is 2026-03-28T23:00Z to 2026-03-29T22:00Z.
  const day = calendarOf("Europe/Berlin");
  assert.deepEqual(
    ["2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"].map((at) => day(new Date(at)).day),
    ["2026-03-28", "2026-03-29", "2026-03-29", "2026-03-30"],
  );
  assert.equal(calendarOf("America/New_York")(new Date("2027-01-01T04:59:59Z")).year, "2026");
});

test("weeks are ISO weeks", () => {
  // Known dates of ISO 8601.
  assert.equal(isoWeek(2027, 1, 1), "2026-W53");
  assert.equal(isoWeek(2026, 1, 1), "2026-W01");
  assert.equal(isoWeek(2025, 12, 29), "2026-W01");
  assert.equal(isoWeek(2024, 12, 30), "2025-W01");
  assert.equal(isoWeek(2021, 1, 3), "2020-W53");
  assert.equal(isoWeek(2021, 1, 4), "2021-W01");
  assert.ok(isTimeZone("Europe/Berlin") && isTimeZone("UTC"));
  assert.ok(!isTimeZone("Europe/Berlln") && !isTimeZone("+02:00") && !isTimeZone(""));
});

test("what is not replicated takes no other's place; it stays while its run can be gone on with, and no longer", () => {
  const broken = { replicated: false, verified: false };
  const [old, young] = [snapshot("2026-11-10T02:00:00Z", broken), snapshot("2026-11-23T02:00:00Z", broken)];
  const [first, second, third] = ["2026-11-05T02:00:00Z", "2026-11-11T02:00:00Z", "2026-11-22T02:00:00Z"].map((at) => snapshot(at));
  const policy = { ...none, last: 2 };
  const { decisions } = planRetention([first!, old, second!, third!, young], policy, "UTC", new Date("2026-11-24T00:00:00Z"));
  assert.deepEqual(
    decisions.map(({ action, reasons }) => [action, ...reasons]),
    [
      ["keep", "not replicated yet", "nothing newer is verified"],
      ["keep", "last 1 of 2", "newest verified"],
      ["keep", "last 2 of 2"],
      ["delete", "never replicated"],
      ["delete", "no rule keeps it"],
    ],
  );
});

const start = Date.parse("2024-01-01T00:00:00Z");
const history = fc.uniqueArray(fc.integer({ min: 0, max: 3 * 365 * 24 }), { maxLength: 60 }).chain((hours) =>
  fc.tuple(
    ...hours.map((hour) =>
      fc
        .record({ replicated: fc.boolean(), verified: fc.boolean(), held: fc.boolean(), extra: fc.boolean() })
        // What is verified was replicated.
        .map(({ replicated, verified, held, extra }) =>
          snapshot(new Date(start + hour * 3_600_000).toISOString(), { replicated: replicated || verified, verified, held, extra }),
        ),
    ),
  ),
);
const policies = fc.record({
  last: fc.integer({ min: 1, max: 5 }),
  daily: fc.integer({ min: 0, max: 5 }),
  weekly: fc.integer({ min: 0, max: 5 }),
  monthly: fc.integer({ min: 0, max: 5 }),
  yearly: fc.integer({ min: 0, max: 3 }),
  extra: fc.integer({ min: 0, max: 3 }),
  minimumAge: fc.constantFrom("0s", "1d", "40d"),
  maximumAge: fc.constantFrom(undefined, "60d", "2y"),
  mostPerRun: fc.constant(10_000),
  grace: fc.constant("1d"),
  spacing: fc.constant("12h"),
});
const zones = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kolkata");
const now = new Date(start + 3 * 366 * dayMs);

test("property: held and newest verified snapshots never go, every deletion has a newer verified one that stays", () => {
  fc.assert(
    fc.property(history, policies, zones, (snapshots, policy, zone) => {
      const { decisions, deletions } = planRetention(snapshots, policy, zone, now);
      const gone = new Set(deletions);
      const newestVerified = decisions.find(({ snapshot: id }) => snapshots.find((one) => one.snapshot === id)?.verified);
      assert.equal(newestVerified?.action ?? "keep", "keep");
      for (const one of snapshots.filter(({ snapshot: id }) => gone.has(id))) {
        assert.ok(!one.held);
        assert.ok(snapshots.some((other) => other.verified && !gone.has(other.snapshot) && other.capturedAt > one.capturedAt));
      }
    }),
    { numRuns: 300 },
  );
});

test("property: a plan carried out leaves nothing more to delete", () => {
  fc.assert(
    fc.property(history, policies, zones, (snapshots, policy, zone) => {
      const gone = new Set(planRetention(snapshots, policy, zone, now).deletions);
      assert.deepEqual(
        planRetention(
          snapshots.filter(({ snapshot: id }) => !gone.has(id)),
          policy,
          zone,
          now,
        ).deletions,
        [],
      );
    }),
    { numRuns: 300 },
  );
});

test("property: higher counts keep at least as much, and the order of the input does not matter", () => {
  fc.assert(
    fc.property(history, policies, policies, zones, (snapshots, policy, more, zone) => {
      const higher = {
        last: policy.last + more.last,
        daily: policy.daily + more.daily,
        weekly: policy.weekly + more.weekly,
        monthly: policy.monthly + more.monthly,
        yearly: policy.yearly + more.yearly,
        extra: policy.extra + more.extra,
        minimumAge: policy.minimumAge,
        maximumAge: policy.maximumAge,
        mostPerRun: policy.mostPerRun,
        grace: policy.grace,
        spacing: policy.spacing,
      };
      const wide = new Set(planRetention(snapshots, higher, zone, now).deletions);
      const narrow = new Set(planRetention(snapshots, policy, zone, now).deletions);
      assert.ok([...wide].every((id) => narrow.has(id)));
      assert.deepEqual(planRetention(snapshots.toReversed(), policy, zone, now), planRetention(snapshots, policy, zone, now));
    }),
    { numRuns: 300 },
  );
});

test("carried out every night for five years, exactly what the policy promises is there", () => {
  const policy = { ...none, last: 3, daily: 7, weekly: 5, monthly: 12, yearly: 3, minimumAge: "1d" };
  let live: RetainedSnapshot[] = [];
  const nights = 5 * 365;
  for (let night = 0; night < nights; night += 1) {
    const at = new Date(start + night * dayMs + 2.25 * 3_600_000);
    live.push(snapshot(at.toISOString()));
    const gone = new Set(planRetention(live, policy, "Europe/Berlin", new Date(at.getTime() + 3_600_000)).deletions);
    live = live.filter(({ snapshot: id }) => !gone.has(id));
  }
  const calendar = calendarOf("Europe/Berlin");
  const lies = live.map(({ capturedAt }) => calendar(new Date(capturedAt)));
  const has = (period: "day" | "week" | "month" | "year") => new Set(lies.map((one) => one[period]));
  const wanted = (period: "day" | "week" | "month" | "year", count: number) => {
    const all = Array.from({ length: nights }, (_, night) => calendar(new Date(start + night * dayMs + 2.25 * 3_600_000))[period]);
    return [...new Set(all)].slice(-count);
  };
  for (const [period, count] of [
    ["day", 7],
    ["week", 5],
    ["month", 12],
    ["year", 3],
  ] as const) {
    for (const name of wanted(period, count)) assert.ok(has(period).has(name), `${period} ${name}`);
  }
  // 7 days, of which one also is the week's, month's and year's newest: never more than the counts together.
  assert.ok(live.length >= 7 + 3 + 10 && live.length <= 7 + 5 + 12 + 3, `${live.length} snapshots`);
});
