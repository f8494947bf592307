import { metricMeter } from "@temporalio/activity";
import type { StoreCoverage } from "../../core/catalog/due-copies.ts";
import type { EndingThing } from "../../core/domain/renewal-verdict.ts";

/** Gauges for alarms, by store; `docs/operations.md` says which values are bad. */

export const tellCoverage = (
  store: string,
  trust: number,
  { copies, overdue, lost }: Pick<StoreCoverage, "copies" | "overdue" | "lost">,
): void => {
  metricMeter.createGauge("dbgov_store_trust", "float", "1", "How far a store is believed by its answers, 0 to 1").set(trust, { store });
  metricMeter.createGauge("dbgov_copies_lost", "int", "1", "Copies that are bad and not replaced yet").set(lost, { store });
  metricMeter.createGauge("dbgov_copies_overdue", "int", "1", "Copies that were not challenged within the period").set(overdue, { store });
  metricMeter.createGauge("dbgov_copies", "int", "1", "Copies that a store is recorded to have").set(copies, { store });
};

/** Days until the first of them ends, or its money does. Nothing is told where nothing ends. */
export const tellEnds = (store: string, things: readonly EndingThing[], now: Date): void => {
  const ends = things.flatMap(({ until, fundedUntil }) => [until, fundedUntil]).filter((end) => end !== null);
  if (ends.length === 0) return;
  const days = (Math.min(...ends.map((end) => Date.parse(end))) - now.getTime()) / 86_400_000;
  metricMeter
    .createGauge("dbgov_store_ends_days", "float", "d", "Days until a store's service ends something by itself")
    .set(days, { store });
};
