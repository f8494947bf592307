import { setTimeout as delay } from "node:timers/promises";
import { earnedAt, placeOf } from "./spent-memory.ts";

/**
 * A budget of request units per second that all threads of this process keep together. A request's cost is known only
 * from its reply; what it costs is earned before the next one begins.
 */
export interface Budget {
  /** What the budget is of; budgets of one name are one. */
  readonly name: string;
  /** Request units; above 0. */
  readonly perSecond: number;
}

/** Something that has cost request units, also when it failed. */
interface Spent<T> {
  readonly charge: number;
  readonly outcome: () => T;
}

/** Above this a charge is no charge: no partition can spend it in the time that a request may take. */
const mostPlausible = 100_000;

/**
 * A reply's cost. A header that is missing or says nonsense is replaced by what the size would cost: a read about 1 unit
 * for each KB, a write about 10.
 */
export function chargeOf(header: string | null, bytes: number, write: boolean): number {
  const said = header === null || header.trim() === "" ? Number.NaN : Number(header);
  if (said > 0 && said <= mostPlausible) return said;
  return Math.max(1, Math.ceil(bytes / 1_024) * (write ? 10 : 1));
}

/** What one request should cost at most, so that a second never sees much more than the budget. */
export const pageCharge = (budget: Budget): number => Math.max(1, budget.perSecond / 10);

/** Of a budget, what its last request in this thread has cost: about what the next one will. */
const lastCharges = new Map<string, number>();

const nowMicros = (): bigint => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1_000));

/**
 * Does the work once all is earned that was spent before. What it will cost is guessed and spent at once, so that threads that
 * wait do not all begin together; the rest is paid, or given back, when the reply has told.
 */
export async function spend<T>(budget: Budget, signal: AbortSignal, work: () => Promise<Spent<T>>): Promise<T> {
  const place = placeOf(budget.name);
  const microsFor = (units: number): bigint => BigInt(Math.round((units / budget.perSecond) * 1_000_000));
  const guess = microsFor(lastCharges.get(budget.name) ?? pageCharge(budget));
  await takeTurn(place, guess, signal);
  let paid = 0n;
  try {
    const { charge, outcome } = await work();
    lastCharges.set(budget.name, charge);
    paid = microsFor(charge);
    return outcome();
  } finally {
    Atomics.add(earnedAt, place, paid - guess);
    Atomics.notify(earnedAt, place);
  }
}

/** Waits until all is earned, and spends `micros` at that moment, before any other thread can. */
async function takeTurn(place: number, micros: bigint, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const earned = Atomics.load(earnedAt, place);
    const now = nowMicros();
    if (earned <= now) {
      if (Atomics.compareExchange(earnedAt, place, earned, now + micros) === earned) return;
      continue;
    }
    await changeOrTime(place, earned, Number(earned - now) / 1_000, signal);
  }
}

/** Ends when another thread has paid or given back, or after the time, which also keeps the thread alive. */
async function changeOrTime(place: number, seen: bigint, ms: number, signal: AbortSignal): Promise<void> {
  const { async: waits, value: changed } = Atomics.waitAsync(earnedAt, place, seen, ms);
  if (!waits) return;
  const heard = new AbortController();
  const time = delay(ms, undefined, { signal: AbortSignal.any([signal, heard.signal]) }).catch(() => undefined);
  await Promise.race([changed, time]);
  heard.abort();
}
