/**
 * Runs tasks of the same key one after the other, in the order of their calls; those of different keys at the same
 * time. A caller whose signal aborts while it waits throws the signal's reason at once.
 */
export const oneAtATime = (): (<T>(key: string, signal: AbortSignal, task: () => Promise<T>) => Promise<T>) => {
  const last = new Map<string, Promise<unknown>>();
  return async (key, signal, task) => {
    const before = last.get(key) ?? Promise.resolve();
    const { promise: turn, resolve: leave } = Promise.withResolvers<void>();
    const mine = before.then(() => turn);
    last.set(key, mine);
    try {
      await untilAborted(before, signal);
      return await task();
    } finally {
      leave();
      if (last.get(key) === mine) last.delete(key);
    }
  };
};

/** What `work` comes to, unless the signal aborts before: then it throws the signal's reason, and the work goes on unwatched. */
export const untilAborted = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
};
