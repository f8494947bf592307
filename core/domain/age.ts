/** Ages as the law states them: `7y`, `6mo`, `30d`, `12h`. Years and months are those of the calendar, not a number of days. */

const pattern = /^(\d{1,5})(s|m|h|d|mo|y)$/;
const milliseconds: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export const isAge = (text: string): boolean => pattern.test(text);

/**
 * The instant that lies `age` before `now`, in UTC. Where the month has no such day (29 February, a 31st), the last day that
 * it has: seven years before 29 February is 28 February, so what must be kept is never a day short.
 */
export const ageBefore = (now: Date, age: string): Date => {
  const { count, unit } = parse(age);
  const fixed = milliseconds[unit];
  if (fixed !== undefined) return new Date(now.getTime() - count * fixed);
  const months = unit === "y" ? 12 * count : count;
  const target = new Date(now);
  target.setUTCDate(1);
  target.setUTCMonth(target.getUTCMonth() - months);
  const days = new Date(Date.UTC(target.getUTCFullYear(), target.getUTCMonth() + 1, 0)).getUTCDate();
  target.setUTCDate(Math.min(now.getUTCDate(), days));
  return target;
};

/** The instant that lies `age` after `then`; where the month has no such day, the first of the next month: never a day too early. */
export const ageAfter = (then: Date, age: string): Date => {
  const { count, unit } = parse(age);
  const fixed = milliseconds[unit];
  if (fixed !== undefined) return new Date(then.getTime() + count * fixed);
  const months = unit === "y" ? 12 * count : count;
  const target = new Date(then);
  target.setUTCMonth(target.getUTCMonth() + months);
  // The month that was meant has no such day: the date has run over into the next one.
  if (target.getUTCDate() !== then.getUTCDate()) target.setUTCDate(1);
  return target;
};

/** Whether the first age reaches less far back than the second, from any day that years and months do not mind. */
export const isShorterAge = (age: string, than: string): boolean => ageBefore(reference, age) > ageBefore(reference, than);

/** Of several ages, the one that reaches furthest back; undefined of none. */
export const longestAge = (ages: readonly string[]): string | undefined =>
  ages.reduce<string | undefined>((longest, age) => (longest === undefined || isShorterAge(longest, age) ? age : longest), undefined);

/** Of several ages, the one that reaches back least; undefined of none. */
export const shortestAge = (ages: readonly string[]): string | undefined =>
  ages.reduce<string | undefined>((shortest, age) => (shortest === undefined || isShorterAge(age, shortest) ? age : shortest), undefined);

const reference = new Date("2026-07-15T12:00:00Z");

const parse = (age: string): { count: number; unit: string } => {
  const match = pattern.exec(age);
  if (match === null) throw new RangeError(`not an age: ${age}`);
  return { count: Number(match[1]), unit: match[2]! };
};
