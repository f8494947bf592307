/** Days, ISO weeks, months and years in a time zone. Pure functions of their inputs. */

export interface CalendarPeriods {
  /** `2026-11-24` */
  readonly day: string;
  /** The ISO week, `2026-W48`: Monday to Sunday; the year is that of its Thursday. */
  readonly week: string;
  /** `2026-11` */
  readonly month: string;
  /** `2026` */
  readonly year: string;
}

/** Whether this runtime knows the IANA time zone. An offset (`+02:00`) is none: it knows no summer time. */
export const isTimeZone = (name: string): boolean => {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch {
    return false;
  }
};

/** A function that tells in which periods an instant lies; `timeZone` as an IANA name. */
export const calendarOf = (timeZone: string): ((instant: Date) => CalendarPeriods) => {
  const format = new Intl.DateTimeFormat("en-US", { timeZone, calendar: "iso8601", year: "numeric", month: "numeric", day: "numeric" });
  return (instant) => {
    const part = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
    const [year, month, day] = [part.get("year")!, part.get("month")!, part.get("day")!];
    const text = `${year}-${pad(month)}-${pad(day)}`;
    return { day: text, week: isoWeek(year, month, day), month: text.slice(0, -3), year: `${year}` };
  };
};

const pad = (n: number): string => String(n).padStart(2, "0");

const dayMs = 86_400_000;

/** The ISO 8601 week of a date: the one that holds its week's Thursday. */
export const isoWeek = (year: number, month: number, day: number): string => {
  const date = new Date(Date.UTC(year, month - 1, day));
  const weekday = (date.getUTCDay() + 6) % 7; // Monday is 0
  const thursday = date.getTime() + (3 - weekday) * dayMs;
  const weekYear = new Date(thursday).getUTCFullYear();
  const week = Math.floor((thursday - Date.UTC(weekYear, 0, 1)) / (7 * dayMs)) + 1;
  return `${weekYear}-W${pad(week)}`;
};
