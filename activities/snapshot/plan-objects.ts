import { gunzipSync, gzipSync } from "node:zlib";
import { orAborted } from "../../core/databases/or-aborted.ts";
import { Failure } from "../../core/domain/failure.ts";
import { seal, unseal } from "../../core/repository/sealing.ts";
import type { CapturePlan } from "../../core/snapshot/capture-plan.ts";
import type { Store } from "../../core/stores/store.ts";

/**
 * What is too large for Temporal's history goes from one activity to the next through the landing store: the plan and
 * what batches captured. It lives for the length of one run, and is sealed, for it names tables.
 */
export const planPrefix = (snapshot: string): string => `${plansPrefix}${snapshot}/`;

export const plansPrefix = "plans/";

const additionalData = (key: string): Uint8Array => Buffer.from(`dbgov-1/plan/${key}`);

export const putPlanObject = async (
  store: Store,
  indexKey: Uint8Array,
  key: string,
  value: unknown,
  signal: AbortSignal,
): Promise<void> => {
  const packed = gzipSync(JSON.stringify(value), { level: 1 });
  await store.put(key, seal(indexKey, additionalData(key), packed), signal);
};

export const getPlanObject = async <T>(store: Store, indexKey: Uint8Array, key: string, signal: AbortSignal): Promise<T> => {
  const packed = unseal(indexKey, additionalData(key), await store.get(key, signal));
  if (packed === undefined) throw new Failure("ObjectCorrupt", `${key} in store ${store.name} is not what this run wrote there`);
  return JSON.parse(gunzipSync(packed).toString("utf8")) as T;
};

/** How long a plan is kept that no activity asks for: the next batch of its run comes sooner. */
const planKeptMs = 10_000;
const plans = new Map<string, { readonly plan: Promise<CapturePlan>; readonly expiry: NodeJS.Timeout }>();

/** The reading is everybody's: it does not end because one of those who wait for it is cancelled. The store has time limits of its own. */
const neverAborted = new AbortController().signal;

/** A run's plan. Its batches run side by side, and a plan of many thousand tables is large: they share one copy, which nobody may change. */
export const getPlan = (store: Store, indexKey: Uint8Array, key: string, signal: AbortSignal): Promise<CapturePlan> => {
  const kept = plans.get(key);
  if (kept !== undefined) {
    kept.expiry.refresh();
    return orAborted(kept.plan, signal);
  }
  const forget = (): void => void plans.delete(key);
  const plan = getPlanObject<CapturePlan>(store, indexKey, key, neverAborted);
  plans.set(key, { plan, expiry: setTimeout(forget, planKeptMs).unref() });
  plan.catch(forget);
  return orAborted(plan, signal);
};
