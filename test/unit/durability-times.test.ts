import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Circumstances, inDays, timesOf } from "../../client/durability/times.ts";
import type { ProofTimes } from "../../core/catalog/proof-times.ts";
import { exampleConfig } from "../sample/example-config.ts";

const packs = 3_000;
const tried = { stand: "a disk", simulated: false, asked: 100, askingSeconds: 5, replaced: 10, replacedBytes: 200e6, replacingSeconds: 4 };
const base: Circumstances = {
  ...{ estateBytes: 86_400e6, bytesPerSecond: 10e6, replaceDays: 3 },
  measured: { date: "2026-11-24", machine: "two cores", stores: { directory: tried } },
  records: new Map(),
};
const recorded: ProofTimes = {
  ...{ store: "disk", copies: 500, recordedDays: 90, unprovenDays: 33, silentDays: 0.5 },
  ...{ replaced: 4, replaceDays: { mean: 0.1, longest: 0.3 }, replacedBytes: 2e9, replacingSeconds: 1_000 },
};
const withRecords = (changes: Partial<ProofTimes>): Circumstances => ({
  ...base,
  records: new Map([["disk", { ...recorded, ...changes }]]),
});
const of = (circumstances: Circumstances, store = "disk") => timesOf(exampleConfig, store, packs, circumstances);

describe("where the times of a durability come from", () => {
  it("configured and measured on a real server, where the site's own records are not asked", () => {
    const { times, from } = of(base);
    assert.deepEqual([times.noticeDays, times.coverDays], [1, 30]);
    assert.ok(Math.abs(times.replaceDays - 3.1) < 1e-9, "three days, and 86,400 MB at the 10 MB/s of the line, which is the slower");
    assert.ok(Math.abs(times.repairDays - (0.25 + 0.4 / 86_400)) < 1e-9);
    assert.match(from.noticeDays, /^configured/);
    assert.match(from.coverDays, /^configured.*\(measured: 50 ms each; a disk, 2026-11-24\)/);
    assert.match(from.repairDays, /0.4 seconds for a pack \(measured: 10 lost ones/);
    assert.match(from.replaceDays, /\(assumed\).*10 MB\/s, which is the line \(assumed\), and the store takes 50 MB\/s \(measured/);
  });

  it("the site's records, where they reach back far enough", () => {
    const { times, from } = of(withRecords({}));
    assert.deepEqual([times.noticeDays, times.coverDays, times.repairDays], [0.5, 33, 0.1]);
    assert.ok(Math.abs(times.replaceDays - (3 + 86_400e6 / 2e6 / 86_400)) < 1e-9, "it was refilled at 2 MB/s");
    for (const text of [from.noticeDays, from.coverDays, from.repairDays]) assert.match(text, /^measured: .*site's records/);
    const young = of(withRecords({ recordedDays: 5, unprovenDays: 5, replaced: 0, replaceDays: null, replacedBytes: 0 }));
    assert.deepEqual(young.times, of(base).times, "five days say nothing of thirty");
    const often = of(withRecords({ silentDays: 0.01 }));
    assert.equal(often.times.noticeDays, 0.25, "nobody looks more often than the schedule does");
  });

  it("a store that is asked too slowly to be covered in the time that is configured", () => {
    const slow = { ...tried, askingSeconds: 100_000 };
    const { times, from } = of({ ...base, measured: { ...base.measured, stores: { directory: slow } } });
    assert.ok(times.coverDays > 30);
    assert.match(from.coverDays, /^asking for all of them takes 35 days/);
  });

  it("what a simulator took is not counted, what was never tried is not said to be, and a network that takes its time is waited for", () => {
    const simulated = { ...tried, simulated: true, replacingSeconds: 400 };
    const { times, from } = of({ ...base, measured: { ...base.measured, stores: { filecoin: simulated } } }, "filecoin");
    assert.deepEqual([times.repairDays, times.replaceDays], [2.25, 3 + 0.1 + 2]);
    assert.match(from.replaceDays, /which is the line \(assumed\); and 2 days until its network has proven it \(stated\)/);
    for (const one of [from, of(base, "azure").from]) assert.doesNotMatch(Object.values(one).join(" "), /measured/);
  });

  it("days in the unit that suits", () => {
    assert.deepEqual(
      [inDays(1), inDays(30), inDays(0.25), inDays(1 / 1_440), inDays(0.5 / 86_400)],
      ["1 day", "30 days", "6 hours", "1 minute", "0.5 seconds"],
    );
  });
});
