import { isFailure } from "../../domain/failure.ts";
import type { Address } from "./address.ts";

/**
 * Servers, roles, databases and poolers limit connections; free tiers do to as few as two. Whoever finds no room waits for it: others
 * of this process say when they have made some, and others elsewhere are tried again now and then.
 */
export const patienceMs = 4 * 60_000; // less than a capture may stand still
const tryAgainMs = 250;

/** SQLSTATE 53300 in whatever language, or what poolers say in its place. */
const fullPattern =
  /\(53300\)|too many (connections|clients)|remaining connection slots|max clients reached|no more connections allowed|query_wait_timeout/i;

export const saysFull = (text: string): boolean => fullPattern.test(text);

const waiting = new Map<string, (() => void)[]>();

const keyOf = ({ host, port }: Address): string => `${host}:${port}`;

/** Since when connections are being opened that do not stand yet: a pooler lets whoever comes too many wait, and says nothing. */
const opening = new Map<string, Set<{ readonly since: number }>>();
const slowMs = 200;

/** Says that a connection is being asked for, until the function that this returns is called. */
export const askForRoom = (address: Address): (() => void) => {
  const key = keyOf(address);
  const asked = opening.get(key) ?? new Set();
  opening.set(key, asked);
  const one = { since: Date.now() };
  asked.add(one);
  return () => {
    asked.delete(one);
    if (asked.size === 0 && opening.get(key) === asked) opening.delete(key);
  };
};

/** Whether somebody in this process waits for a connection to that server. */
export const isAwaited = (address: Address): boolean => {
  const key = keyOf(address);
  const now = Date.now();
  return waiting.has(key) || [...(opening.get(key) ?? [])].some(({ since }) => now - since > slowMs);
};

/** Says that a connection has been closed, or could be used by another. */
export const makeRoom = (address: Address): void => {
  const key = keyOf(address);
  const queue = waiting.get(key);
  const next = queue?.shift();
  if (queue?.length === 0) waiting.delete(key);
  next?.();
};

/** Resolves when room was made for this one, or some time has passed. */
const awaitRoom = async (address: Address, signal: AbortSignal): Promise<void> => {
  const key = keyOf(address);
  const queue = waiting.get(key) ?? [];
  waiting.set(key, queue);
  const { promise, resolve } = Promise.withResolvers<void>();
  queue.push(resolve);
  const timer = setTimeout(resolve, tryAgainMs);
  signal.addEventListener("abort", resolve as () => void);
  await promise;
  signal.removeEventListener("abort", resolve as () => void);
  clearTimeout(timer);
  const at = queue.indexOf(resolve);
  if (at >= 0) queue.splice(at, 1);
  if (queue.length === 0 && waiting.get(key) === queue) waiting.delete(key);
  signal.throwIfAborted();
};

/** The outcome of `attempt`, tried again while the server is full; for longer than four minutes only as long as `expectRoom` says so. */
export const whenThereIsRoom = async <T>(
  address: Address,
  signal: AbortSignal,
  attempt: () => Promise<T>,
  expectRoom = (): boolean => false,
): Promise<T> => {
  const until = Date.now() + patienceMs;
  for (;;) {
    const stopAsking = askForRoom(address);
    try {
      return await attempt();
    } catch (error) {
      if (!isFailure(error, "DatabaseUnreachable") || !saysFull(error.message)) throw error;
      if (Date.now() > until && !expectRoom()) throw error;
    } finally {
      stopAsking();
    }
    await awaitRoom(address, signal);
  }
};
