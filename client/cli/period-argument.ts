import { Failure } from "../../core/domain/failure.ts";

/** The period of `--from` and `--to`: days as 2026-11-01, whole ones in UTC, the last one included. */
export const periodArgument = (from: unknown, to: unknown): { from: string; to: string } => {
  const day = (value: unknown, name: string, time: string): string => {
    const text = `${String(value)}T${time}Z`;
    if (typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value) && new Date(text).toJSON() === text) return text;
    throw new Failure("UsageInvalid", `--${name} needs a day as 2026-11-01`);
  };
  const period = { from: day(from, "from", "00:00:00.000"), to: day(to, "to", "23:59:59.999") };
  if (period.from > period.to) throw new Failure("UsageInvalid", "--from is later than --to");
  return period;
};
