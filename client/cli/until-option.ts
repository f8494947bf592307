import { Failure } from "../../core/domain/failure.ts";

/** What `--until` says, as ISO 8601: a day (its beginning, in UTC) or a time with its zone, which must be to come. Undefined without it. */
export const untilOption = (value: string | boolean | undefined, now: Date): string | undefined => {
  if (value === undefined) return undefined;
  const text = String(value);
  const shaped = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const time = shaped ? new Date(text) : new Date(Number.NaN);
  if (Number.isNaN(time.getTime()))
    throw new Failure("UsageInvalid", `--until must be a day as 2027-01-31, or a time with its zone (is "${text}")`);
  if (time <= now) throw new Failure("UsageInvalid", `--until ${text} is not to come`);
  return time.toISOString();
};
