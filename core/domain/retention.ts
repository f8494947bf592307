import { type CalendarPeriods, calendarOf } from "./calendar.ts";
import { durationMs } from "./duration.ts";

/** Which snapshots stay and which may go. Pure arithmetic, so that a plan can be read before it runs. */

export interface RetentionPolicy {
  /** The newest snapshots. */
  readonly last: number;
  /** The newest snapshot of each of so many days, and so on: of periods that have one, the newest. */
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  readonly yearly: number;
  /** A duration, as `1d`: nothing younger goes. */
  readonly minimumAge: string;
}

export interface RetainedSnapshot {
  readonly snapshot: string;
  readonly capturedAt: Date | string;
  /** Its run came to its end: enough stores have all of it. */
  readonly replicated: boolean;
  readonly verified: boolean;
  readonly held: boolean;
}

/** Longer than a run takes, or waits for its reset: what is older, and not done, will not be. */
export const longestRunMs = 7 * 24 * 60 * 60_000;

export interface RetentionDecision {
  readonly snapshot: string;
  readonly capturedAt: string;
  readonly action: "keep" | "delete";
  /** Why it stays, as `daily 2026-11-24`; of one that goes, why it may. Never empty. */
  readonly reasons: readonly string[];
}

export interface RetentionPlan {
  /** Newest first. */
  readonly decisions: readonly RetentionDecision[];
  /** The snapshots to delete, oldest first. */
  readonly deletions: readonly string[];
}

const periods = [
  ["daily", "day"],
  ["weekly", "week"],
  ["monthly", "month"],
  ["yearly", "year"],
] as const satisfies readonly (readonly [keyof RetentionPolicy, keyof CalendarPeriods])[];

/**
 * The plan for the live snapshots of one database. Days, ISO weeks, months and years are told in `timeZone`. The rules
 * count those that are replicated; one whose run broke off before stays as long as that run can be gone on with. A snapshot goes only when no rule keeps it, it is old enough, no hold stands, and a newer verified one stays: so the
 * newest verified snapshot never goes, nor anything while none is verified.
 */
export const planRetention = (
  snapshots: readonly RetainedSnapshot[],
  policy: RetentionPolicy,
  timeZone: string,
  now: Date,
): RetentionPlan => {
  const newestFirst = snapshots
    .map((snapshot) => ({ ...snapshot, at: new Date(snapshot.capturedAt) }))
    .sort((a, b) => b.at.getTime() - a.at.getTime() || (a.snapshot < b.snapshot ? 1 : -1));
  const counted = newestFirst.filter(({ replicated }) => replicated);
  const reasons = reasonsByRule(
    counted.map(({ at }) => at),
    policy,
    calendarOf(timeZone),
  );
  const byRule = new Map(counted.map(({ snapshot }, i) => [snapshot, reasons[i]!]));
  const youngest = now.getTime() - durationMs(policy.minimumAge);
  let verified: Date | undefined; // when the newest verified snapshot that stays was captured
  const decisions = newestFirst.map((candidate): RetentionDecision => {
    const { snapshot, at, replicated } = candidate;
    const reasons = [...(byRule.get(snapshot) ?? [])];
    if (!replicated && now.getTime() - at.getTime() < longestRunMs) reasons.push("not replicated yet");
    if (at.getTime() > youngest) reasons.push(`younger than ${policy.minimumAge}`);
    if (candidate.held) reasons.push("legal hold");
    if (verified === undefined || at >= verified) reasons.push(candidate.verified ? "newest verified" : "nothing newer is verified");
    const keep = reasons.length > 0;
    // Everything newer is decided already, and this one stays: from here on older ones may go.
    if (keep && candidate.verified) verified ??= at;
    return {
      snapshot,
      capturedAt: at.toISOString(),
      action: keep ? "keep" : "delete",
      reasons: keep ? reasons : [replicated ? "no rule keeps it" : "never replicated"],
    };
  });
  return {
    decisions,
    deletions: decisions
      .filter(({ action }) => action === "delete")
      .map(({ snapshot }) => snapshot)
      .reverse(),
  };
};

/** For each instant (newest first) the rules that keep it. */
const reasonsByRule = (instants: readonly Date[], policy: RetentionPolicy, calendar: (instant: Date) => CalendarPeriods): string[][] => {
  const seen = new Map(periods.map(([rule]) => [rule, new Set<string>()]));
  return instants.map((instant, i) => {
    const reasons = i < policy.last ? [`last ${i + 1} of ${policy.last}`] : [];
    const lies = calendar(instant);
    for (const [rule, period] of periods) {
      const counted = seen.get(rule)!;
      const name = lies[period];
      if (counted.size >= policy[rule] || counted.has(name)) continue;
      counted.add(name);
      reasons.push(`${rule} ${name}`);
    }
    return reasons;
  });
};
