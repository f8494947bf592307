import { standingFindings } from "../catalog/copy-findings.ts";
import { storeCoverage } from "../catalog/due-copies.ts";
import { listRenewals } from "../catalog/renewals.ts";
import { storeTrust } from "../catalog/store-trust.ts";
import type { StoreRecord } from "../compliance/engine-record.ts";
import { durationMs } from "../domain/duration.ts";
import type { Site } from "./site.ts";

const day = 86_400_000;

/** A pass comes a little later than a period after the one before, at times: what is a tenth late is not overdue. */
const lateness = 1.1;

/** What repair and renewal know of each store, for a sweep to judge. */
export const storeRecords = async (site: Site, now: Date): Promise<StoreRecord[]> => {
  const catalog = await site.catalog();
  const { stores, durability } = site.loaded.config;
  const since = new Date(now.getTime() - lateness * durability.coverDays * day);
  const coverage = new Map((await storeCoverage(catalog, since)).map((one) => [one.store, one]));
  const trust = await storeTrust(catalog);
  const findings = Map.groupBy(await standingFindings(catalog), ({ store }) => store);
  const asked = Map.groupBy(await listRenewals(catalog), ({ store }) => store);
  const askWithinMs = Math.max(day, 3 * durationMs(durability.renewal.every));
  return stores.map(({ name }) => {
    const { copies = 0, covered = 0, overdue = 0, oldest = null, lost = 0 } = coverage.get(name) ?? {};
    const standing = (findings.get(name) ?? []).map(({ kind, standing: count, message }) => ({ kind, standing: count, message }));
    const times = (asked.get(name) ?? []).map(({ askedAt }) => Date.parse(askedAt));
    const lastAsked = times.length === 0 ? undefined : Math.max(...times);
    const ends =
      lastAsked === undefined ? null : { askedAt: new Date(lastAsked).toISOString(), overdue: now.getTime() - lastAsked > askWithinMs };
    return { name, trust: trust.get(name) ?? 1, copies, covered, overdue, oldest, lost, findings: standing, ends };
  });
};
