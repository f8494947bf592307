import { isShorterAge, longestAge, shortestAge } from "./age.ts";
import { durationMs } from "./duration.ts";

/** What is kept of one database: its policy's rules, with what the database itself and its record class say. */

export interface RetentionRules {
  /** The newest snapshots that count. */
  readonly last: number;
  /** The newest counting snapshot of each of so many days, and so on: of periods that have one, the newest. */
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  readonly yearly: number;
  /** The newest extra snapshots. */
  readonly extra: number;
  /** An age, as `7y`: nothing younger goes. */
  readonly minimumAge: string;
  /** An age: everything older goes, but what is held, and the newest verified. */
  readonly maximumAge?: string | undefined;
  /** A duration: what comes closer to a counting snapshot is an extra one. */
  readonly spacing: string;
  /** So many go in one run at most. */
  readonly mostPerRun: number;
  /** A duration: what is marked to go can still be kept for so long. */
  readonly grace: string;
}

/** Kinds of records that a law gives ages to. */
export interface RecordClass {
  readonly minimumAge?: string | undefined;
  readonly maximumAge?: string | undefined;
}

export type RetentionOverride = { readonly [K in Exclude<keyof RetentionRules, "grace">]?: RetentionRules[K] | undefined };

export const rulesOf = (policy: RetentionRules, override: RetentionOverride = {}, records: RecordClass = {}): RetentionRules => {
  const told = Object.fromEntries(Object.entries(override).filter(([, value]) => value !== undefined));
  const own: RetentionRules = { ...policy, ...told };
  const maximumAge = shortestAge([own.maximumAge, records.maximumAge].filter((age) => age !== undefined));
  return {
    ...own,
    minimumAge: longestAge([own.minimumAge, records.minimumAge].filter((age) => age !== undefined))!,
    ...(maximumAge === undefined ? {} : { maximumAge }),
  };
};

/** Why no set of snapshots can obey these rules; undefined when some can. Completes "database shop …". */
export const rulesProblem = ({ minimumAge, maximumAge }: RetentionRules): string | undefined =>
  maximumAge !== undefined && isShorterAge(maximumAge, minimumAge)
    ? `must keep snapshots for ${minimumAge} and delete them after ${maximumAge}`
    : undefined;

const counts = ["last", "daily", "weekly", "monthly", "yearly", "extra"] as const;

/** In which respects `after` keeps less than `before` does, as `daily: 7 → 3`; none when it keeps all that. */
export const shortenings = (before: RetentionRules, after: RetentionRules): string[] =>
  shorter(before, after).map((rule) => `${rule}: ${before[rule] ?? "none"} → ${after[rule] ?? "none"}`);

/** Of two sets of rules, whatever keeps more: what is in force while nobody has agreed to keep less. */
export const keepingMore = (before: RetentionRules, after: RetentionRules): RetentionRules => ({
  ...after,
  ...Object.fromEntries(shorter(before, after).map((rule) => [rule, before[rule]])),
});

const shorter = (before: RetentionRules, after: RetentionRules): (keyof RetentionRules)[] => {
  const found: (keyof RetentionRules)[] = counts.filter((rule) => after[rule] < before[rule]);
  if (isShorterAge(after.minimumAge, before.minimumAge)) found.push("minimumAge");
  const sooner = after.maximumAge !== undefined && (before.maximumAge === undefined || isShorterAge(after.maximumAge, before.maximumAge));
  if (sooner) found.push("maximumAge");
  if (after.mostPerRun > before.mostPerRun) found.push("mostPerRun");
  // A longer one makes more snapshots extra ones. With a shorter one more of them count, and push older ones out of their places.
  if (durationMs(after.spacing) !== durationMs(before.spacing)) found.push("spacing");
  if (durationMs(after.grace) < durationMs(before.grace)) found.push("grace");
  return found;
};
