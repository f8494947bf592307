/** Retries of every activity: the wait doubles from one second up to a minute. */
export const retryIntervals = { firstMs: 1_000, factor: 2, mostMs: 60_000 } as const;

/**
 * How many attempts of a step fit into `patience` milliseconds of waiting between them. Counting attempts, rather than
 * setting a time limit, keeps the last attempt's own failure as what the run ends with.
 */
export const attemptsWithin = (patience: number): number => {
  let attempts = 1;
  let wait: number = retryIntervals.firstMs;
  for (let waited = wait; waited <= patience; waited += wait) {
    attempts += 1;
    wait = Math.min(wait * retryIntervals.factor, retryIntervals.mostMs);
  }
  return attempts;
};
