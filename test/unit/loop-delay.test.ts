import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { openLoopDelayMeter } from "../../core/snapshot/loop-delay.ts";

const block = (milliseconds: number): void => {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
};

test("a loop that was blocked says for how long, one that was free does not", async () => {
  const blocked = openLoopDelayMeter();
  blocked.begin();
  await delay(50);
  block(300);
  await delay(50);
  const { p99, max } = blocked.end();
  assert.ok(max > 0.2 && max < 5, `blocked for 0.3 s, measured ${max}`);
  assert.ok(p99 > 0.2, `few looks, so that the longest is among them: ${p99}`);

  const meter = openLoopDelayMeter();
  block(300);
  meter.begin();
  await delay(200);
  assert.ok(meter.end().p99 < 0.2, "what was before it began is not in it");
});

test("jobs beside one another and soon after one another are one measurement; a job without a look counts nothing", async () => {
  const meter = openLoopDelayMeter();
  meter.begin();
  assert.deepEqual(meter.end(), { p99: 0, max: 0 });
  meter.begin();
  meter.begin();
  await delay(30);
  block(200);
  await delay(30);
  const first = meter.end();
  const second = meter.end();
  assert.ok(first.max > 0.1 && second.max >= first.max);
  meter.begin();
  await delay(30);
  assert.equal(meter.end().max, second.max);
});
