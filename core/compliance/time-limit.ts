export type Limited<T> = { readonly outcome: "done"; readonly value: T } | { readonly outcome: "timed-out" };

/**
 * Runs `work` for at most `limitMs`. Its signal aborts at the limit, or when `signal` does. Rejects with what `work`
 * rejects with, and with the reason of `signal` when that aborts first; a late end of `work` is ignored.
 */
export const withTimeLimit = async <T>(
  limitMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Limited<T>> => {
  signal.throwIfAborted();
  const own = new AbortController();
  const { promise: interrupted, resolve, reject } = Promise.withResolvers<Limited<T>>();
  const timer = setTimeout(() => resolve({ outcome: "timed-out" }), limitMs);
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const done = work(own.signal).then((value): Limited<T> => ({ outcome: "done", value }));
  try {
    return await Promise.race([done, interrupted]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    // Only now, so that `work` reacting to the abort cannot overtake the outcome.
    own.abort();
    done.catch(() => {});
  }
};
