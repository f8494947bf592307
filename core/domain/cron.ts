const months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const days = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

interface Field {
  readonly what: string;
  readonly from: number;
  readonly to: number;
  readonly names: readonly string[];
}

const fields: readonly Field[] = [
  { what: "minute", from: 0, to: 59, names: [] },
  { what: "hour", from: 0, to: 23, names: [] },
  { what: "day of month", from: 1, to: 31, names: [] },
  { what: "month", from: 1, to: 12, names: months },
  { what: "day of week", from: 0, to: 7, names: days },
];

const numberOf = (text: string, { from, to, names }: Field): number | undefined => {
  const named = names.indexOf(text.toUpperCase());
  if (named >= 0) return named + from;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= from && value <= to ? value : undefined;
};

/** One of the comma-separated items of a field: a star or a value or a range, and a step if there is one. */
const isItem = (text: string, field: Field): boolean => {
  const match = /^(?:\*|([^-/]+)(?:-([^-/]+))?)(?:\/(\d{1,2}))?$/.exec(text);
  if (match === null) return false;
  const [, first, last, step] = match;
  if (step !== undefined && Number(step) < 1) return false;
  if (first === undefined) return true;
  const low = numberOf(first, field);
  const high = last === undefined ? low : numberOf(last, field);
  return low !== undefined && high !== undefined && low <= high;
};

/** What is wrong with a cron expression of five fields (lists, ranges, steps, English names), or undefined when nothing is. */
export const cronProblem = (text: string): string | undefined => {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== fields.length || parts[0] === "") {
    return "must be five fields, as `15 2 * * *`: minute, hour, day of month, month, day of week";
  }
  for (const [i, field] of fields.entries()) {
    if (!parts[i]!.split(",").every((item) => isItem(item, field))) {
      const named = field.names.length > 0 ? ` or ${field.names[0]} to ${field.names.at(-1)}` : "";
      return `has no valid ${field.what}: "${parts[i]}" (allowed are ${field.from} to ${field.to}${named}, *, lists, ranges and steps)`;
    }
  }
  return undefined;
};

export const isCron = (text: string): boolean => cronProblem(text) === undefined;

const valuesOf = (text: string, field: Field): number[] =>
  text.split(",").flatMap((item) => {
    const [, first, last, step] = /^(?:\*|([^-/]+)(?:-([^-/]+))?)(?:\/(\d{1,2}))?$/.exec(item) ?? [];
    const low = first === undefined ? field.from : numberOf(first, field)!;
    const high = last === undefined ? (first === undefined || step !== undefined ? field.to : low) : numberOf(last, field)!;
    const by = step === undefined ? 1 : Number(step);
    return Array.from({ length: Math.floor((high - low) / by) + 1 }, (_, i) => low + i * by);
  });

/**
 * The shortest time between two runs of a valid expression, in milliseconds, as minutes and hours have it: a day at most, also for
 * what runs on some days only.
 */
export const shortestGapMs = (cron: string): number => {
  const [minutes, hours] = cron.trim().split(/\s+/);
  const ofMinutes = valuesOf(minutes!, fields[0]!);
  const times = [...new Set(valuesOf(hours!, fields[1]!).flatMap((hour) => ofMinutes.map((minute) => hour * 60 + minute)))];
  times.sort((a, b) => a - b);
  const gaps = times.map((time, i) => (times[i + 1] ?? times[0]! + 24 * 60) - time);
  return Math.min(...gaps) * 60_000;
};
