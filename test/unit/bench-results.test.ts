import assert from "node:assert/strict";
import { test } from "node:test";
import { benchmarksChart } from "../bench/chart.ts";
import { benchmarksDocument } from "../bench/report.ts";
import { type DataSetResult, median, summaryOf, tableOf } from "../bench/results.ts";
import type { ArmName, Measured, Sample } from "../bench/sample.ts";
import { targetsOf, targetTable } from "../bench/targets.ts";

const sample = (arm: ArmName, work: Sample["work"], round: number, measured: Partial<Measured>): Sample => ({
  ...{ dataSet: "tpch", round, arm, work },
  ...{ seconds: 1, processorSeconds: 1, serverSeconds: 1, peakMemory: 100e6 },
  ...measured,
});

const resultOf = (samples: readonly Sample[]): DataSetResult => ({ name: "tpch", title: "TPC-H", rounds: 2, changes: {}, samples });

const samples = [
  ...[3, 9, 4].map((seconds, round) =>
    sample("ours", "full", round, { seconds, peakMemory: 300e6, bytesLeft: 500, loopDelay: 0.02 * (round + 1) }),
  ),
  sample("pipe", "full", 1, { seconds: 6 }),
  sample("kopia", "full", 1, { seconds: 3, peakMemory: 150e6 }),
  sample("restic", "full", 1, { seconds: 8 }),
  sample("floor", "full", 1, { seconds: 2 }),
  sample("ours", "unchanged", 1, { seconds: 1, bytesLeft: 5 }),
  sample("kopia", "unchanged", 1, { seconds: 3, bytesLeft: 500 }),
  sample("restic", "unchanged", 1, { seconds: 4, bytesLeft: 500 }),
  sample("ours", "column", 1, { repository: 110 }),
  sample("kopia", "column", 1, { repository: 100 }),
  sample("restic", "column", 1, { repository: 120 }),
  sample("ours", "restore", 1, { seconds: 5 }),
  sample("pgRestore", "restore", 1, { seconds: 5 }),
];

test("medians", () => {
  assert.equal(median([5, 1, 9]), 5);
  assert.equal(median([4, 1, 9, 5]), 4.5);
  assert.ok(Number.isNaN(median([])));
});

test("the summary has the keys of its contract, medians in seconds and bytes, and null for what was not measured", () => {
  const all = resultOf(samples);
  assert.deepEqual(summaryOf(all), {
    full: { ours: 4, pipe: 6, kopia: 3, restic: 8, floor: 2 },
    unchanged: { ours: 1, kopia: 3, restic: 4, bytesLeft: 5, bytesTotal: 500 },
    repository: { ours: 110, kopia: 100, restic: 120 },
    restore: { ours: 5, pgRestore: 5 },
    peakMemory: { ours: 300e6, kopia: 150e6, restic: 100e6 },
  });
  const without = resultOf(samples.filter(({ arm }) => arm !== "restic"));
  assert.equal((summaryOf(without) as { repository: { restic: number | null } }).repository.restic, null);
});

test("targets are met at their limit and missed above it; what was not measured is no target", () => {
  const met = (result: DataSetResult, smaller?: DataSetResult) =>
    Object.fromEntries(targetsOf(result, smaller).map(({ what, value, limit }) => [what.split(":")[0], value <= limit]));
  const all = resultOf(samples);
  assert.deepEqual(
    targetTable(targetsOf(all, undefined)).map((row) => row[3]),
    ["", "met", "missed", "met", "met", "missed", "met", "missed", "met"],
  );
  const grown = resultOf([sample("ours", "full", 1, { peakMemory: 200e6 })]);
  assert.equal(met(all, grown)["peak memory is flat"], false);
  assert.equal(met(all, all)["peak memory is flat"], true);
  const slow = resultOf([...samples, sample("ours", "inserted", 1, { loopDelay: 0.2 })]);
  assert.equal(met(slow)["event loop delay during captures, 99th percentile, worst round"], false, "the worst counts, in any state");
  assert.deepEqual(targetsOf(resultOf([]), undefined), []);
  const unwatched = resultOf(samples.map(({ loopDelay: _, ...others }) => others));
  assert.equal(met(unwatched)["event loop delay during captures, 99th percentile, worst round"], undefined, "nobody watched the loop");
});

test("the table has a row for what was measured, with ranges; the page and the chart hold it", () => {
  const result = resultOf(samples);
  const rows = tableOf(result);
  assert.equal(rows.length, 1 + 13);
  assert.deepEqual(rows.find(([state, arm]) => state === "full" && arm?.startsWith("ours"))?.slice(2, 4), ["4.00", "3.00 to 9.00"]);
  const machine = { processor: "P", cores: 2, memory: 24e9, node: "24", postgres: "18", date: "2026-01-01", load: 0 };
  const page = benchmarksDocument([result], () => undefined, machine);
  assert.match(page, /dump \\\| zstd/, "a pipe in a name does not end its column");
  assert.match(page, /\| missed \|/);
  assert.match(page, /\*Memory\*: a worker/, "what is missed is explained");
  assert.doesNotMatch(page, /\*Unchanged\*/, "what is met is not");
  assert.match(benchmarksChart(result), /<title>TPC-H/);
  // Of what two cores give in the 2 s that were aimed at, the server needs 1.
  assert.match(page, /in less than 1\.0 s; it\s+took 4\.0 s\. To end within 2\.0 s on 2 cores, ours would have to do with 3\.0 s/);
});
