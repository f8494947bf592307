import { databaseGrowth } from "../catalog/store-usage.ts";
import type { AllowanceRecord } from "../compliance/engine-record.ts";
import { allowanceOfDatabase } from "../config/allowances.ts";
import { engineOf } from "../databases/engines.ts";
import { isFailure } from "../domain/failure.ts";
import type { Site } from "./site.ts";

const growthDays = 30;
const patienceMs = 15_000;

/** How much of its plan a database uses, as its own engine says, and how it grows; null when no plan is declared for it. */
export const databaseAllowance = async (site: Site, name: string, now: Date): Promise<AllowanceRecord | null> => {
  const allowance = allowanceOfDatabase(site.loaded.config, name);
  if (allowance === undefined) return null;
  const measured = (await databaseGrowth(await site.catalog(), growthDays, now)).find(({ database }) => database === name);
  return {
    service: allowance.service,
    limitBytes: allowance.free?.bytes ?? null,
    usedBytes: await sizeOf(site, name),
    growthPerDay: measured?.newPerDay ?? null,
  };
};

/** Null when the server does not say it here and now: the sweep's own checks tell why it does not answer. */
const sizeOf = async (site: Site, name: string): Promise<number | null> => {
  try {
    const engine = await engineOf(site.database(name).engine);
    return (await engine.probe(await site.databaseUrl(name), AbortSignal.timeout(patienceMs))).estimatedBytes;
  } catch (error) {
    if (isFailure(error) || (error instanceof Error && error.name === "TimeoutError")) return null;
    throw error;
  }
};
