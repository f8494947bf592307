import { standingFindings } from "../catalog/copy-findings.ts";
import { oldestCopies, storeCoverage } from "../catalog/due-copies.ts";
import { listRenewals } from "../catalog/renewals.ts";
import { storeTrust } from "../catalog/store-trust.ts";
import type { StoreRecord } from "../compliance/engine-record.ts";
import type { Config } from "../config/schema.ts";
import { durationMs } from "../domain/duration.ts";
import { knownStores } from "./known-stores.ts";
import type { Site } from "./site.ts";
import { lifecycleOf } from "./store-lifecycle.ts";

const day = 86_400_000;

/** A pass comes a little later than a period after the one before, at times: what is a tenth late is not overdue. */
const lateness = 1.1;

/** Whether renewal gets an answer of such a store: of s3d nothing can be asked. */
const endsByItself = (store: Config["stores"][number]): boolean =>
  store.kind === "filecoin" || (store.kind === "sia" && store.software !== "s3d");

const lifecycleIn = (lifecycle: StoreRecord["lifecycle"]): Pick<StoreRecord, "lifecycle"> => (lifecycle === undefined ? {} : { lifecycle });

/** What repair and renewal know of each store, for a sweep to judge; also of those that left the configuration and still have copies. */
export const storeRecords = async (site: Site, now: Date): Promise<StoreRecord[]> => {
  const catalog = await site.catalog();
  const { stores, durability } = site.loaded.config;
  const since = new Date(now.getTime() - lateness * durability.coverDays * day);
  const proven = await storeCoverage(catalog, since);
  const coverage = new Map(proven.map((one) => [one.store, one]));
  const written = new Map((await oldestCopies(catalog)).map(({ store, writtenAt }) => [store, Date.parse(writtenAt)]));
  const trust = await storeTrust(catalog);
  const findings = Map.groupBy(await standingFindings(catalog), ({ store }) => store);
  const renewals = Map.groupBy(await listRenewals(catalog), ({ store }) => store);
  const askWithinMs = Math.max(day, 3 * durationMs(durability.renewal.every));
  const rules = await Promise.all(stores.map(async (store) => [store.name, await lifecycleOf(site.loaded.config, store, now)] as const));
  const lifecycles = new Map(rules);
  return knownStores(site, proven).map((name) => {
    const { copies = 0, covered = 0, overdue = 0, oldest = null, lost = 0 } = coverage.get(name) ?? {};
    const standing = (findings.get(name) ?? []).map(({ kind, standing: count, message }) => ({ kind, standing: count, message }));
    const times = (renewals.get(name) ?? []).map(({ askedAt }) => Date.parse(askedAt));
    const lastAsked = times.length === 0 ? undefined : Math.max(...times);
    const ends = lastAsked !== undefined || stores.some((store) => store.name === name && endsByItself(store));
    // Never asked is too late once there is something to lose for as long.
    const waiting = now.getTime() - (lastAsked ?? written.get(name) ?? now.getTime());
    const asked = {
      askedAt: lastAsked === undefined ? null : new Date(lastAsked).toISOString(),
      overdue: waiting > askWithinMs,
    };
    const { archived: archivedPacks = 0, present = 0 } = coverage.get(name) ?? {};
    const archived = archivedPacks === 0 ? {} : { archived: { packs: archivedPacks, present } };
    return {
      name,
      ...archived,
      ...lifecycleIn(lifecycles.get(name)),
      trust: trust.get(name) ?? 1,
      copies,
      covered,
      overdue,
      oldest,
      lost,
      findings: standing,
      ends: ends ? asked : null,
    };
  });
};
