import type { LogEntry } from "./entry.ts";
import { object, positive } from "./shape.ts";

/** What of a period's entries its summary is made of: it fits into memory however many entries there are. */
export interface PeriodFacts {
  readonly kinds: Record<string, number>;
  /** When snapshots were captured, copies of one verified, and drills found everything identical; milliseconds. */
  readonly captured: number[];
  readonly verified: number[];
  readonly drilled: number[];
  readonly drills: { readonly time: string; readonly identical: boolean; readonly seconds: number }[];
  readonly deletions: { readonly time: string; readonly snapshot: string; readonly reason: string }[];
}

export const noFacts = (): PeriodFacts => ({ kinds: {}, captured: [], verified: [], drilled: [], drills: [], deletions: [] });

export const addFact = (facts: PeriodFacts, entry: LogEntry): void => {
  const { kind, time } = entry;
  facts.kinds[kind] = (facts.kinds[kind] ?? 0) + 1;
  if (kind === "snapshot-sealed") facts.captured.push(Date.parse(entry.capturedAt));
  if (kind === "snapshot-verified") facts.verified.push(Date.parse(time));
  if (kind === "deleted") facts.deletions.push({ time, snapshot: entry.snapshot, reason: entry.reason });
  if (kind !== "drilled") return;
  facts.drills.push({ time, identical: entry.identical, seconds: entry.seconds });
  if (entry.identical) facts.drilled.push(Date.parse(time));
};

/** The most seconds that may go by, in a period, without what the name says; and that a restore may take. */
export interface Objectives {
  readonly snapshotEverySeconds?: number;
  readonly verifyEverySeconds?: number;
  readonly drillEverySeconds?: number;
  readonly restoreWithinSeconds?: number;
}

export const checkObjectives = object(
  {},
  { snapshotEverySeconds: positive, verifyEverySeconds: positive, drillEverySeconds: positive, restoreWithinSeconds: positive },
);

export interface JudgedObjective {
  readonly objective: keyof Objectives;
  readonly limit: number;
  /** The longest, in seconds; null when nothing was there to be measured. */
  readonly worst: number | null;
  readonly met: boolean;
  /** Whose objective it is: the auditor's own, by the trust policy, or the operator's, by the statement. */
  readonly saidBy: "policy" | "statement";
}

/** Objectives of the policy go before those of the statement, which the operator wrote. A drill that differs is no drill, and meets no time for restores. */
export const judge = (
  facts: PeriodFacts,
  { from, to }: { readonly from: string; readonly to: string },
  said: { readonly policy: Objectives; readonly statement: Objectives },
): JudgedObjective[] => {
  const slowest = facts.drills.length === 0 ? null : Math.max(...facts.drills.map(({ seconds }) => seconds));
  const worst = {
    snapshotEverySeconds: longestGap(facts.captured, from, to),
    verifyEverySeconds: longestGap(facts.verified, from, to),
    drillEverySeconds: longestGap(facts.drilled, from, to),
    restoreWithinSeconds: slowest,
  };
  return (Object.keys(worst) as (keyof Objectives)[]).flatMap((objective) => {
    const saidBy = said.policy[objective] === undefined ? "statement" : "policy";
    const limit = said[saidBy][objective];
    if (limit === undefined) return [];
    const failed = objective === "restoreWithinSeconds" && facts.drills.some(({ identical }) => !identical);
    const found = worst[objective];
    return [{ objective, limit, worst: found, met: found !== null && found <= limit && !failed, saidBy } as const];
  });
};

/** Seconds, from the period's begin to its end. */
export const longestGap = (times: readonly number[], from: string, to: string): number => {
  const marks = [Date.parse(from), ...times.toSorted((a, b) => a - b), Date.parse(to)];
  let longest = 0;
  for (const [at, mark] of marks.entries()) if (at > 0) longest = Math.max(longest, (mark - marks[at - 1]!) / 1000);
  return longest;
};
