import { type ArmName, arms, type Measured, type Sample, type State, states } from "./sample.ts";

/** What all rounds on one data set gave. */
export interface DataSetResult {
  readonly name: string;
  readonly title: string;
  readonly rounds: number;
  readonly changes: Readonly<Record<string, string>>;
  readonly samples: readonly Sample[];
}

export type Work = State | "restore";
type Measure = keyof Measured;

const valuesOf = (result: DataSetResult, work: Work, arm: ArmName, measure: Measure): number[] =>
  result.samples.flatMap((sample) => (sample.work === work && sample.arm === arm ? [sample[measure] ?? []].flat() : []));

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
};

/** Undefined for what was not measured. */
export const medianOf = (result: DataSetResult, work: Work, arm: ArmName, measure: Measure): number | undefined => {
  const values = valuesOf(result, work, arm, measure);
  return values.length === 0 ? undefined : median(values);
};

/** The highest of all rounds and states. Undefined for what was not measured. */
export const highestOf = (result: DataSetResult, arm: ArmName, measure: Measure): number | undefined => {
  const values = result.samples.flatMap((sample) => (sample.arm === arm ? [sample[measure] ?? []].flat() : []));
  return values.length === 0 ? undefined : Math.max(...values);
};

const megabytes = (bytes: number | undefined): string => (bytes === undefined ? "" : (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0));
const seconds = (value: number | undefined, digits: number): string => (value === undefined ? "" : value.toFixed(digits));

const workNames: Readonly<Record<Work, string>> = { ...states, restore: "restore of the first" };

/** A row for each arm in each state: medians, and the range of the times. */
export const tableOf = (result: DataSetResult): string[][] => {
  const rows = (Object.keys(workNames) as Work[]).flatMap((work) =>
    (Object.keys(arms) as ArmName[]).flatMap((arm) => {
      const times = valuesOf(result, work, arm, "seconds");
      if (times.length === 0) return [];
      const of = (measure: Measure) => medianOf(result, work, arm, measure);
      return [
        [
          workNames[work],
          arms[arm],
          seconds(of("seconds"), 2),
          `${Math.min(...times).toFixed(2)} to ${Math.max(...times).toFixed(2)}`,
          seconds(of("processorSeconds"), 1),
          seconds(of("serverSeconds"), 1),
          megabytes(of("peakMemory")),
          megabytes(of("bytesLeft")),
          megabytes(of("repository")),
        ],
      ];
    }),
  );
  return [["state", "arm", "seconds", "range", "CPU s", "server CPU s", "memory MB", "left MB", "stored MB"], ...rows];
};

export const textTable = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  "),
    )
    .join("\n");
};

/** What programs read: medians in seconds and bytes; null for what was not measured. */
export const summaryOf = (result: DataSetResult): unknown => {
  const of = (work: Work, arm: ArmName, measure: Measure): number | null => {
    const value = medianOf(result, work, arm, measure);
    return value === undefined ? null : measure === "seconds" ? Number(value.toFixed(3)) : Math.round(value);
  };
  const each = <Name extends ArmName>(work: Work, measure: Measure, ...names: Name[]) =>
    Object.fromEntries(names.map((name) => [name, of(work, name, measure)])) as Record<Name, number | null>;
  return {
    full: each("full", "seconds", "ours", "pipe", "kopia", "restic", "floor"),
    unchanged: {
      ...each("unchanged", "seconds", "ours", "kopia", "restic"),
      bytesLeft: of("unchanged", "ours", "bytesLeft"),
      bytesTotal: of("unchanged", "kopia", "bytesLeft"),
    },
    repository: each("column", "repository", "ours", "kopia", "restic"),
    restore: each("restore", "seconds", "ours", "pgRestore"),
    peakMemory: each("full", "peakMemory", "ours", "kopia", "restic"),
  };
};
