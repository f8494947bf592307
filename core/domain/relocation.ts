import type { PlanItem, PlanPolicy, PlanStore } from "./placement-plan.ts";
import { openPlan } from "./plan-placement.ts";

/** Which copies have to be made so that every object is where its policy wants it: when a store is left, or after one has joined. Pure. */

export interface Relocatable {
  readonly key: string;
  readonly bytes: number;
  readonly policy: string;
  readonly holders: readonly string[];
  /** Stores that are asked first, in this order; without it, in the order of the policy. */
  readonly prefers?: readonly string[] | undefined;
}

export interface Move {
  readonly key: string;
  readonly bytes: number;
  readonly policy: string;
  readonly to: string;
}

export interface Relocation {
  readonly moves: readonly Move[];
  /** What cannot have all of its copies, and why. It may be among the moves all the same: a copy is better than none. */
  readonly left: readonly { readonly key: string; readonly why: string }[];
}

/**
 * When a store is left, it counts for nothing, be it among `stores` (as `leaving`) or not: only what would then have too few copies, or lie in too few domains, is
 * copied. Otherwise every policy gets what it asks for. An object that only a store being left has is copied somewhere even where its
 * policy asks for more than there is room for.
 */
export const planRelocation = (
  objects: readonly Relocatable[],
  policies: readonly PlanPolicy[],
  stores: readonly PlanStore[],
  left: boolean,
): Relocation => {
  const asked = policies.map((policy) => (left ? { ...policy, spread: "planned" as const } : policy));
  const atLeastOne = policies.map((policy): PlanPolicy => {
    const named = policy.stores === null ? null : [...(policy.landing === null ? [] : [policy.landing]), ...policy.stores];
    return { ...policy, name: lastResort(policy.name), landing: null, stores: named, copies: 1, domains: 1, extra: [], spread: "planned" };
  });
  const prefers = new Map(
    policies.map(({ name, landing, stores: named }) => [name, [...(landing === null ? [] : [landing]), ...(named ?? [])]]),
  );
  const plan = openPlan([...asked, ...atLeastOne], stores);
  const staying = new Set(stores.filter(({ leaving }) => !leaving).map(({ name }) => name));
  const moves: Move[] = [];
  const short: { key: string; why: string }[] = [];
  for (const { key, bytes, policy, holders, prefers: own } of objects) {
    const item: PlanItem = { id: key, bytes, policy, holders, prefers: own ?? prefers.get(policy) ?? [] };
    let outcome = plan.place(item);
    const reasons = outcome.passed.map(({ store, why }) => `${store} ${why}`).join("; ");
    if (!outcome.placed) {
      short.push({ key, why: reasons === "" ? outcome.why : `${outcome.why} (${reasons})` });
      if (!holders.some((holder) => staying.has(holder))) outcome = plan.place({ ...item, policy: lastResort(policy) });
    } else if (!left && outcome.passed.length > 0) short.push({ key, why: reasons });
    if (!outcome.placed) continue;
    for (const choice of outcome.choices) if (!holders.includes(choice.store)) moves.push({ key, bytes, policy, to: choice.store });
  }
  return { moves, left: short };
};

const lastResort = (policy: string): string => `${policy}, one copy at least`;
