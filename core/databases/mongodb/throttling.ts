import { setTimeout as delay } from "node:timers/promises";
import { MongoServerError } from "mongodb";

// Shared tiers take a hundred operations a second or so, and count them over whole seconds: a minute is patience enough.
const patienceMs = 60_000;
const longestPauseMs = 5_000;

/**
 * Whether the server says that it is asked too much at once, and did nothing: 16500 of servers that meter requests, 462 (ingress rate
 * limit) and the overload labels of MongoDB 8, and what Atlas's proxy puts into words under its own code.
 */
export const isThrottled = (error: unknown): error is MongoServerError =>
  error instanceof MongoServerError &&
  (error.code === 16500 ||
    error.code === 462 ||
    (error.hasErrorLabel("SystemOverloadedError") && error.hasErrorLabel("RetryableError")) ||
    (error.code === 8000 && /throttl|too many (requests|operations)|rate limit/i.test(error.message)));

/** Does the work, again after a pause for as long as the server is overloaded; its own word on the pause is kept to. Gives up after a minute with the server's error. */
export async function patiently<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const until = performance.now() + patienceMs;
  for (let pause = 100; ; pause = Math.min(pause * 2, longestPauseMs)) {
    try {
      return await work();
    } catch (error) {
      if (!isThrottled(error) || performance.now() + pause > until) throw error;
      const asked = /RetryAfterMs=(\d+)/.exec(error.message)?.[1];
      // Parts that were refused together must not come back together.
      const wait = Math.max(Number(asked ?? 0), pause / 2 + Math.random() * (pause / 2));
      await delay(Math.min(wait, patienceMs), undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}
