import type { Objectives } from "../../core/ledger/verify/period-facts.ts";

export const objectiveWords: Readonly<Record<keyof Objectives, string>> = {
  snapshotEverySeconds: "A snapshot at least every",
  verifyEverySeconds: "A snapshot is verified at least every",
  drillEverySeconds: "A drill finds everything identical at least every",
  restoreWithinSeconds: "A restore, as drills measure it, takes at most",
};

/** As people say it: `1 day 2 hours`. */
export const durationWords = (seconds: number): string => {
  const units = [
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ] as const;
  let left = Math.round(seconds);
  if (left < 60) return `${Number(seconds.toFixed(1))} s`;
  const words: string[] = [];
  for (const [unit, length] of units) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count > 0 && words.length < 2) words.push(`${count} ${unit}${count === 1 ? "" : "s"}`);
  }
  return words.join(" ");
};
