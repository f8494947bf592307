import { type Outcome, outcomes } from "./outcome.ts";
import type { FailedRound, SoakResult } from "./soak.ts";

/** How often each fault came to each outcome. */
export interface Summary {
  readonly rounds: number;
  readonly faults: Readonly<Record<string, Partial<Record<Outcome, number>>>>;
  readonly outcomes: Partial<Record<Outcome, number>>;
  readonly failed: readonly FailedRound[];
}

export const summaryOf = ({ rounds, failed }: SoakResult): Summary => {
  const faults: Record<string, Partial<Record<Outcome, number>>> = {};
  const all: Partial<Record<Outcome, number>> = {};
  for (const { work, fault, outcome } of rounds) {
    const name = `${work}: ${fault}`;
    const counted = faults[name] ?? {};
    faults[name] = counted;
    counted[outcome] = (counted[outcome] ?? 0) + 1;
    all[outcome] = (all[outcome] ?? 0) + 1;
  }
  return { rounds: rounds.length, faults, outcomes: all, failed };
};

export const textSummary = (result: SoakResult): string => {
  const summary = summaryOf(result);
  const counts = (counted: Partial<Record<Outcome, number>>): string =>
    Object.entries(counted)
      .map(([outcome, count]) => `${outcome} ${count}`)
      .join(", ");
  const faults = Object.entries(summary.faults).sort();
  const width = Math.max(0, ...faults.map(([name]) => name.length));
  const lines = faults.map(([name, counted]) => `${name.padEnd(width)}  ${counts(counted)}`);
  const meanings = Object.keys(summary.outcomes).map((outcome) => `${outcome}: ${outcomes[outcome as Outcome]}`);
  return ["", ...lines, "", `all: ${counts(summary.outcomes)}`, ...meanings].join("\n");
};
