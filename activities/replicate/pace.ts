import { setTimeout as delay } from "node:timers/promises";

/** Longest sleep at a stretch, so that who waits can say that it does. */
const longestMs = 30_000;

/** Lets so many bytes a second go, on average from its first call on; null: as fast as it goes. Waits before bytes that would come too early. */
export const openPace = (bytesPerSecond: number | null, now: () => number = () => performance.now()) => {
  let free = now();
  return async (bytes: number, signal: AbortSignal, onWait: (ms: number) => void): Promise<void> => {
    if (bytesPerSecond === null) return;
    // Time that nobody used is not saved up: the line never gets more than its rate.
    free = Math.max(free, now());
    const start = free;
    free += (bytes / bytesPerSecond) * 1_000;
    for (let wait = start - now(); wait > 0; wait = start - now()) {
      onWait(wait);
      await delay(Math.min(wait, longestMs), undefined, { signal }).catch((error: unknown) => {
        signal.throwIfAborted();
        throw error;
      });
    }
  };
};
