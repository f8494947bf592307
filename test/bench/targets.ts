import { type DataSetResult, highestOf, medianOf, type Work } from "./results.ts";
import type { ArmName, Measured } from "./sample.ts";

export interface Target {
  readonly what: string;
  /** What was measured, and what it may be at most. */
  readonly value: number;
  readonly limit: number;
  readonly shown: (value: number) => string;
}

const inSeconds = (value: number): string => `${value.toFixed(2)} s`;
const inMegabytes = (value: number): string => `${(value / 1e6).toFixed(value < 1e7 ? 2 : 0)} MB`;
const inMilliseconds = (value: number): string => `${(value * 1e3).toFixed(0)} ms`;

/** How much memory may grow from the smaller data set to the larger and still be called flat. */
const flatWithin = 1.1;

/** What was aimed at, beside what came out. `smaller` is the same kind of data, a fifth of its size. */
export const targetsOf = (result: DataSetResult, smaller: DataSetResult | undefined): Target[] => {
  const targets: Target[] = [];
  const add = (what: string, value: number | undefined, limit: number | undefined, shown: Target["shown"]): void => {
    if (value !== undefined && limit !== undefined && !Number.isNaN(limit)) targets.push({ what, value, limit, shown });
  };
  const of = (work: Work, arm: ArmName, measure: keyof Measured): number => medianOf(result, work, arm, measure) ?? Number.NaN;
  const ours = (work: Work, measure: keyof Measured) => medianOf(result, work, "ours", measure);
  add("full backup: five sixths of the pipe's time", ours("full", "seconds"), (of("full", "pipe", "seconds") * 5) / 6, inSeconds);
  add("full backup: two thirds of kopia's time", ours("full", "seconds"), (of("full", "kopia", "seconds") * 2) / 3, inSeconds);
  add("unchanged: a third of kopia's time", ours("unchanged", "seconds"), of("unchanged", "kopia", "seconds") / 3, inSeconds);
  add("unchanged: 1 % of the bytes leave", ours("unchanged", "bytesLeft"), of("unchanged", "kopia", "bytesLeft") / 100, inMegabytes);
  add(
    "repository after all states: the smaller of kopia's and restic's",
    ours("column", "repository"),
    Math.min(of("column", "kopia", "repository"), of("column", "restic", "repository")),
    inMegabytes,
  );
  add("restore: pg_restore -j 2", ours("restore", "seconds"), of("restore", "pgRestore", "seconds"), inSeconds);
  add("peak memory: kopia's", ours("full", "peakMemory"), of("full", "kopia", "peakMemory"), inMegabytes);
  if (smaller !== undefined) {
    const limit = (medianOf(smaller, "full", "ours", "peakMemory") ?? Number.NaN) * flatWithin;
    add(`peak memory is flat: within 10 % of that on ${smaller.title}`, ours("full", "peakMemory"), limit, inMegabytes);
  }
  add("event loop delay during captures, 99th percentile, worst round", highestOf(result, "ours", "loopDelay"), 0.1, inMilliseconds);
  return targets;
};

export const targetTable = (targets: readonly Target[]): string[][] => [
  ["target (at most)", "limit", "ours", "", "ours to limit"],
  ...targets.map(({ what, value, limit, shown }) => [
    what,
    shown(limit),
    shown(value),
    value <= limit ? "met" : "missed",
    limit === 0 ? "" : `${(value / limit).toFixed(2)}`,
  ]),
];
