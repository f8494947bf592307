import { ageBefore } from "./age.ts";
import { type CalendarPeriods, calendarOf } from "./calendar.ts";
import type { RetentionRules } from "./retention-rules.ts";
import { longestRunMs } from "./snapshot-spacing.ts";

/** Which snapshots stay and which may go. Pure arithmetic, so that a plan can be read before it runs. */

export interface RetainedSnapshot {
  readonly snapshot: string;
  readonly capturedAt: Date | string;
  /** Its run came to its end: enough stores have all of it. */
  readonly replicated: boolean;
  readonly verified: boolean;
  readonly held: boolean;
  /** It came between those that count; see `snapshot-spacing.ts`. */
  readonly extra?: boolean;
}

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
  /** The snapshots to delete in this run, oldest first. */
  readonly deletions: readonly string[];
  /** Those that may go as well, and wait because so many go in one run at most. */
  readonly later: readonly string[];
}

const periods = [
  ["daily", "day"],
  ["weekly", "week"],
  ["monthly", "month"],
  ["yearly", "year"],
] as const satisfies readonly (readonly [keyof RetentionRules, keyof CalendarPeriods])[];

/**
 * The plan for the live snapshots of one database. Days, ISO weeks, months and years are told in `timeZone`. The rules
 * count those that are replicated and no extra ones; one whose run broke off before stays as long as that run can be gone on with.
 * A snapshot goes only when no rule keeps it or it is older than the rules allow, it is old enough, no hold stands, and a newer
 * verified one stays: so the newest verified snapshot never goes, nor anything while none is verified. Of many, the oldest go first.
 */
export const planRetention = (
  snapshots: readonly RetainedSnapshot[],
  rules: RetentionRules,
  timeZone: string,
  now: Date,
): RetentionPlan => {
  const newestFirst = snapshots
    .map((snapshot) => ({ ...snapshot, at: new Date(snapshot.capturedAt) }))
    .sort((a, b) => b.at.getTime() - a.at.getTime() || (a.snapshot < b.snapshot ? 1 : -1));
  const byRule = reasonsByRule(
    newestFirst.filter(({ replicated }) => replicated),
    rules,
    calendarOf(timeZone),
  );
  const youngest = ageBefore(now, rules.minimumAge);
  const oldest = rules.maximumAge === undefined ? undefined : ageBefore(now, rules.maximumAge);
  let verified: Date | undefined; // when the newest verified snapshot that stays was captured
  const decisions = newestFirst.map((candidate): RetentionDecision => {
    const { snapshot, at, replicated } = candidate;
    const tooOld = oldest !== undefined && at < oldest;
    const reasons = tooOld ? [] : [...(byRule.get(snapshot) ?? [])];
    if (!replicated && now.getTime() - at.getTime() < longestRunMs) reasons.push("not replicated yet");
    if (at > youngest) reasons.push(`younger than ${rules.minimumAge}`);
    if (candidate.held) reasons.push("legal hold");
    if (verified === undefined || at >= verified) reasons.push(candidate.verified ? "newest verified" : "nothing newer is verified");
    const keep = reasons.length > 0;
    // Everything newer is decided already, and this one stays: from here on older ones may go.
    if (keep && candidate.verified) verified ??= at;
    const lets = tooOld ? `older than ${rules.maximumAge}` : replicated ? "no rule keeps it" : "never replicated";
    return { snapshot, capturedAt: at.toISOString(), action: keep ? "keep" : "delete", reasons: keep ? reasons : [lets] };
  });
  return bounded(decisions, rules.mostPerRun);
};

const bounded = (decisions: readonly RetentionDecision[], most: number): RetentionPlan => {
  const all = decisions.flatMap(({ snapshot, action }) => (action === "delete" ? [snapshot] : [])).reverse();
  const later = all.slice(most);
  const waiting = new Set(later);
  const reasons = [`one of the next run: at most ${most} go in one`];
  return {
    decisions: decisions.map((one) => (waiting.has(one.snapshot) ? { ...one, action: "keep", reasons } : one)),
    deletions: all.slice(0, most),
    later,
  };
};

/** For each of the snapshots (newest first) the rules that keep it. */
const reasonsByRule = (
  newestFirst: readonly { readonly snapshot: string; readonly at: Date; readonly extra?: boolean }[],
  rules: RetentionRules,
  calendar: (instant: Date) => CalendarPeriods,
): Map<string, string[]> => {
  const seen = new Map(periods.map(([rule]) => [rule, new Set<string>()]));
  const found = new Map<string, string[]>();
  const extra = newestFirst.filter((one) => one.extra === true).slice(0, rules.extra);
  for (const [i, { snapshot }] of extra.entries()) found.set(snapshot, [`extra ${i + 1} of ${rules.extra}`]);
  for (const [i, { snapshot, at }] of newestFirst.filter((one) => one.extra !== true).entries()) {
    const reasons = i < rules.last ? [`last ${i + 1} of ${rules.last}`] : [];
    const lies = calendar(at);
    for (const [rule, period] of periods) {
      const counted = seen.get(rule)!;
      const name = lies[period];
      if (counted.size >= rules[rule] || counted.has(name)) continue;
      counted.add(name);
      reasons.push(`${rule} ${name}`);
    }
    found.set(snapshot, reasons);
  }
  return found;
};
