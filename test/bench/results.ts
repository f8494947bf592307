import { type Contender, contenders, type Sample } from "./rounds.ts";

/** What the rounds at one scale gave. */
export interface ScaleResult {
  readonly scale: number;
  readonly samples: readonly Sample[];
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memory: number;
  readonly node: string;
  readonly postgres: string;
  readonly rounds: number;
  readonly date: string;
  /** Processes that wanted to run, on average over a minute, before the first round. */
  readonly load: number;
}

type Measure = Exclude<keyof Sample, "contender">;

const valuesOf = (result: ScaleResult, contender: Contender, measure: Measure): number[] =>
  result.samples.filter((sample) => sample.contender === contender).map((sample) => sample[measure]);

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[middle] ?? 0;
  return ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
};

export const medianOf = (result: ScaleResult, contender: Contender, measure: Measure): number =>
  median(valuesOf(result, contender, measure));

const megabytes = (bytes: number): string => (bytes === 0 ? "" : (bytes / 1e6).toFixed(0));

/** A row for each contender: medians, and the range of the times. */
export const tableOf = (result: ScaleResult): string[][] => [
  ["", "seconds", "range", "processor s", "memory MB", "stored MB"],
  ...(Object.keys(contenders) as Contender[]).map((contender) => {
    const seconds = valuesOf(result, contender, "seconds");
    return [
      contenders[contender],
      median(seconds).toFixed(2),
      `${Math.min(...seconds).toFixed(2)} to ${Math.max(...seconds).toFixed(2)}`,
      medianOf(result, contender, "processorSeconds").toFixed(1),
      megabytes(medianOf(result, contender, "peakMemory")),
      megabytes(medianOf(result, contender, "bytes")),
    ];
  }),
];

export const textTable = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  "))
    .join("\n");
};

/** Medians at the largest scale, in seconds and bytes; all scales beside that. */
export const summaryOf = (results: readonly ScaleResult[], machine: Machine): unknown => {
  const one = (result: ScaleResult) => {
    const seconds = (contender: Contender): number => Number(medianOf(result, contender, "seconds").toFixed(3));
    const memory = (contender: Contender): number => medianOf(result, contender, "peakMemory");
    return {
      scale: result.scale,
      full: { ours: seconds("full"), machinery: seconds("machinery"), pipe: seconds("pipe"), floor: seconds("floor") },
      unchanged: { ours: seconds("unchanged") },
      restore: { ours: seconds("restore"), pgRestore: seconds("pgRestore") },
      peakMemory: { ours: memory("full"), machinery: memory("machinery"), pipe: memory("pipe") },
      stored: { ours: medianOf(result, "full", "bytes"), pipe: medianOf(result, "pipe", "bytes") },
    };
  };
  const largest = results.at(-1);
  return { ...(largest === undefined ? {} : one(largest)), scales: results.map(one), machine };
};
