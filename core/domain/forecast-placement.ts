import type { PlanItem, PlanPolicy, PlanStore } from "./placement-plan.ts";
import { openPlan } from "./plan-placement.ts";

/** When free allowances run out, given what grows each day: the planner itself, day after day. Pure; days are counted from the first. */

export interface ForecastInput {
  readonly policies: readonly PlanPolicy[];
  readonly stores: readonly PlanStore[];
  /** What is to be placed before the first day. */
  readonly items: readonly PlanItem[];
  /** Bytes a day, by policy: new, stored content, less what retention deletes. */
  readonly growth: Readonly<Record<string, number>>;
  readonly days: number;
  /** What grows is placed in pieces of so many bytes: those of a pack. */
  readonly packBytes: number;
}

export interface ForecastDay {
  readonly day: number;
  /** Bytes, by store, in the order of the input's stores. */
  readonly used: readonly number[];
  /** US dollars, of the stores whose price is known. */
  readonly perMonth: number;
}

export interface StoreForecast {
  readonly store: string;
  readonly quota: number | null;
  readonly used: number;
  /** The first day on which something did not fit any more; null: not within the days. */
  readonly fullOn: number | null;
  /** The first day on which it costs anything; null: not within the days. */
  readonly costsFrom: number | null;
}

export interface PolicyForecast {
  readonly policy: string;
  /** The first day on which a promise could not be kept: what is new that day has no place. Null: not within the days. */
  readonly refusedOn: number | null;
  readonly why: string | null;
}

export interface Forecast {
  readonly days: readonly ForecastDay[];
  readonly stores: readonly StoreForecast[];
  readonly policies: readonly PolicyForecast[];
}

export const forecastPlacement = ({ policies, stores, items, growth, days, packBytes }: ForecastInput): Forecast => {
  const plan = openPlan(policies, stores);
  const full = new Map<string, number>();
  const costs = new Map<string, number>();
  const refused = new Map<string, { day: number; why: string }>();
  const timeline: ForecastDay[] = [];

  const place = (item: PlanItem, day: number): void => {
    const outcome = plan.place(item);
    for (const { store, code } of outcome.passed) if ((code === "quota" || code === "objects") && !full.has(store)) full.set(store, day);
    if (!outcome.placed && !refused.has(item.policy)) refused.set(item.policy, { day, why: outcome.why });
  };
  const close = (day: number): void => {
    const loads = plan.loads();
    for (const { store, perMonth } of loads) if (perMonth !== null && perMonth > 0 && !costs.has(store)) costs.set(store, day);
    timeline.push({ day, used: loads.map(({ used }) => used), perMonth: loads.reduce((sum, load) => sum + (load.perMonth ?? 0), 0) });
  };

  for (const item of items) place(item, 0);
  close(0);
  // What a day brings may be less than a pack: it is placed once a pack is full, as the bytes of a day do not vanish.
  const waiting = new Map(Object.keys(growth).map((policy) => [policy, 0]));
  for (let day = 1; day <= days; day += 1) {
    for (const [policy, bytes] of Object.entries(growth)) {
      let ready = (waiting.get(policy) ?? 0) + bytes;
      for (let n = 0; ready >= packBytes; n += 1, ready -= packBytes) {
        place({ id: `${policy}/${day}/${n}`, bytes: packBytes, policy, holders: [] }, day);
      }
      waiting.set(policy, ready);
    }
    close(day);
  }
  const loads = plan.loads();
  return {
    days: timeline,
    stores: stores.map(({ name, quota }, at) => ({
      ...{ store: name, quota, used: loads[at]!.used },
      ...{ fullOn: full.get(name) ?? null, costsFrom: costs.get(name) ?? null },
    })),
    policies: policies.map(({ name }) => ({
      policy: name,
      refusedOn: refused.get(name)?.day ?? null,
      why: refused.get(name)?.why ?? null,
    })),
  };
};
