import assert from "node:assert/strict";
import { test } from "node:test";
import type { RetainedSnapshot } from "../../core/domain/retention.ts";
import { goneBy, isBackedUp } from "../../core/domain/retention-forecast.ts";
import type { RetentionRules } from "../../core/domain/retention-rules.ts";

const dayMs = 86_400_000;
const now = new Date("2026-11-24T05:00:00Z");
const daysAgo = (days: number): Date => new Date(now.getTime() - days * dayMs);
const rules: RetentionRules = {
  ...{ last: 3, daily: 0, weekly: 0, monthly: 0, yearly: 0, extra: 0, minimumAge: "0s", mostPerRun: 1, grace: "1d", spacing: "12h" },
};
const taken = (at: Date, more: Partial<RetainedSnapshot> = {}): RetainedSnapshot => ({
  ...{ snapshot: at.toISOString().slice(0, 10), capturedAt: at, replicated: true, verified: true, held: false },
  ...more,
});
const week = Array.from({ length: 7 }, (_, n) => taken(daysAgo(n)));
const gone = (snapshots: readonly RetainedSnapshot[], own: Partial<RetentionRules>, days: number): string[] =>
  [...goneBy(snapshots, { ...rules, ...own }, "UTC", { now, until: daysAgo(-days), pauseMs: dayMs })].sort();

test("snapshots go as those to come push them out", () => {
  assert.deepEqual(gone(week, {}, 0), ["2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21"]);
  assert.deepEqual(gone(week, {}, 2), ["2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]);
  assert.equal(gone(week, {}, 3).length, 7);
});

test("what a longer rule, an age or a hold keeps stays", () => {
  const old = [taken(new Date("2025-12-31T02:00:00Z")), taken(new Date("2026-10-31T02:00:00Z")), ...week];
  assert.ok(!gone(old, { yearly: 7 }, 400).includes("2025-12-31"));
  assert.ok(!gone(old, { monthly: 12 }, 300).includes("2026-10-31"));
  assert.ok(gone(old, { monthly: 12 }, 400).includes("2026-10-31"));
  assert.equal(gone(old, { minimumAge: "2y" }, 360).length, 0);
  assert.equal(gone([taken(daysAgo(3), { held: true })], {}, 400).length, 0);
});

test("backups still come while the newest is no older than twice the pause before it", () => {
  assert.equal(isBackedUp([], now), false);
  assert.equal(isBackedUp([daysAgo(1.9)], now), true);
  assert.equal(isBackedUp([daysAgo(2.1), daysAgo(3)], now), false);
  assert.equal(isBackedUp([daysAgo(13), daysAgo(20)], now), true);
  assert.equal(isBackedUp([daysAgo(15), daysAgo(22)], now), false);
});
