import { type Durability, type DurabilityModel, type RepairTimes, simulateDurability } from "../../core/domain/durability.ts";

/** What becomes of the annual loss when one assumption is ten times as bad, or ten times as good. */
export interface Sensitivity {
  readonly assumption: string;
  readonly better: Durability;
  readonly worse: Durability;
}

const timesVaried = (model: DurabilityModel, which: keyof RepairTimes, factor: number): DurabilityModel => ({
  ...model,
  places: model.places.map((place) => ({ ...place, times: { ...place.times, [which]: place.times[which] * factor } })),
});

const varied: Readonly<Record<string, (model: DurabilityModel, factor: number) => DurabilityModel>> = {
  "stores that are lost": (model, factor) => ({
    ...model,
    places: model.places.map((place) => ({ ...place, placeLosses: place.placeLosses * factor })),
  }),
  "failure domains that are lost": (model, factor) => ({
    ...model,
    domains: model.domains.map(({ domain, losses }) => ({ domain, losses: losses * factor })),
  }),
  "packs that are lost unnoticed": (model, factor) => ({
    ...model,
    places: model.places.map((place) => ({ ...place, packLosses: place.packLosses * factor })),
  }),
  "time to notice that a store is gone": (model, factor) => timesVaried(model, "noticeDays", factor),
  "time to replace and refill it": (model, factor) => timesVaried(model, "replaceDays", factor),
  "time to challenge every pack once": (model, factor) => timesVaried(model, "coverDays", factor),
  "time to replace a pack that was found bad": (model, factor) => timesVaried(model, "repairDays", factor),
  "what is stored": (model, factor) => ({ ...model, packs: Math.max(1, Math.round(model.packs * factor)) }),
};

export const sensitivityOf = (model: DurabilityModel, draw: { years: number; seed: number }): Sensitivity[] =>
  Object.entries(varied).map(([assumption, vary]) => ({
    assumption,
    better: simulateDurability(vary(model, 0.1), draw),
    worse: simulateDurability(vary(model, 10), draw),
  }));
