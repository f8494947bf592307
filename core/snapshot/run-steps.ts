import type { RestoreStep } from "../databases/engine.ts";

/**
 * Runs steps and those that they make possible, the largest first, at most `limit` at once. The first failure stops new ones from
 * starting, and is thrown once those under way have ended.
 */
export const runSteps = async (first: readonly RestoreStep[], limit: number): Promise<void> => {
  /** The largest last, and of equal ones those that came first. */
  const waiting = first.toReversed().sort((a, b) => a.size - b.size);
  let underway = 0;
  let failed: { error: unknown } | undefined;
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const run = async (step: RestoreStep): Promise<void> => {
    try {
      for (const next of await step.run()) waiting.splice(placeOf(waiting, next.size), 0, next);
    } catch (error) {
      failed ??= { error };
    }
    underway -= 1;
    begin();
  };
  const begin = (): void => {
    while (underway < limit && failed === undefined) {
      const step = waiting.pop();
      if (step === undefined) break;
      underway += 1;
      void run(step);
    }
    if (underway === 0) end();
  };
  begin();
  await ended;
  if (failed !== undefined) throw failed.error;
};

/** Before all that are as large or larger, so that it is begun after them. */
const placeOf = (waiting: readonly RestoreStep[], size: number): number => {
  let [from, to] = [0, waiting.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (waiting[middle]!.size < size) from = middle + 1;
    else to = middle;
  }
  return from;
};
