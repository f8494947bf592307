import { setTimeout as delay } from "node:timers/promises";

/** The value below which `share` of them lie, in their own unit. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};

/**
 * Asks `perSecond` times a second for so many seconds, whether earlier answers have come or not. Milliseconds from the moment that each request was due
 * until its answer was read: one that had to wait counts as slow.
 */
export const askSteadily = async (perSecond: number, seconds: number, ask: () => Promise<void>): Promise<number[]> => {
  const started = performance.now();
  const asked: Promise<number>[] = [];
  for (let at = 0; at < perSecond * seconds; at++) {
    const due = started + (at * 1_000) / perSecond;
    const early = due - performance.now();
    if (early > 0) await delay(early);
    asked.push(ask().then(() => performance.now() - due));
  }
  return await Promise.all(asked);
};
