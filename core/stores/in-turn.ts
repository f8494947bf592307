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

const untilAborted = async (work: Promise<unknown>, signal: AbortSignal): Promise<void> => {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
};
