import { listFindings, type RecordedFinding } from "../catalog/copy-findings.ts";
import { storeCoverage } from "../catalog/due-copies.ts";
import { listRenewals, type RecordedRenewal } from "../catalog/renewals.ts";
import { storeTrust } from "../catalog/store-trust.ts";
import { knownStores } from "./known-stores.ts";
import type { Site } from "./site.ts";

/** What is known of the copies in one store. */
export interface StoreDurability {
  readonly store: string;
  /** Between 0 and 1, by its answers; 1 for one that was never asked. */
  readonly trust: number;
  readonly copies: number;
  readonly packs: number;
  /** Copies that were challenged, and right, within the period in which all are to be covered. */
  readonly covered: number;
  /** Copies that were neither challenged nor written within it. */
  readonly overdue: number;
  /** When the copy that was challenged longest ago was; null while one never was. */
  readonly oldest: string | null;
  /** Copies that are bad, and not replaced yet. */
  readonly lost: number;
}

export interface DurabilityStatus {
  readonly coverDays: number;
  readonly stores: readonly StoreDurability[];
  /** What stands, and what ended within the period; the latest first, at most 200. */
  readonly findings: readonly RecordedFinding[];
  readonly renewals: readonly RecordedRenewal[];
}

const mostFindings = 200;

/** How well the copies in stores are proven, configured or not, and what is wrong with them. Of one store when it is named (`NameUnknown` for no such store). */
export const durabilityStatus = async (site: Site, store?: string): Promise<DurabilityStatus> => {
  const catalog = await site.catalog();
  const { durability } = site.loaded.config;
  if (store !== undefined) await site.storeConfig(store);
  const since = new Date(Date.now() - durability.coverDays * 86_400_000);
  const covered = await storeCoverage(catalog, since);
  const names = store === undefined ? knownStores(site, covered) : [store];
  const coverage = new Map(covered.map((one) => [one.store, one]));
  const trust = await storeTrust(catalog);
  const nothing = { copies: 0, packs: 0, covered: 0, overdue: 0, oldest: null, lost: 0 };
  return {
    coverDays: durability.coverDays,
    stores: names.map((name) => ({ ...(coverage.get(name) ?? nothing), store: name, trust: trust.get(name) ?? 1 })),
    findings: await listFindings(catalog, { store, endedSince: since, limit: mostFindings }),
    renewals: (await listRenewals(catalog)).filter((renewal) => names.includes(renewal.store)),
  };
};
