import { packFacts, sparseCandidates } from "../catalog/pack-facts.ts";
import { spacedSnapshots } from "../catalog/spaced-snapshots.ts";
import { storeUsage } from "../catalog/store-usage.ts";
import { quotaOfStore } from "../config/allowances.ts";
import { ageAfter } from "../domain/age.ts";
import { shortestGapMs } from "../domain/cron.ts";
import { durationMs } from "../domain/duration.ts";
import { goneBy, isBackedUp } from "../domain/retention-forecast.ts";
import { type PackFacts, planSparsePacks, type SparsePack } from "../domain/retention-sparse.ts";
import { sizeBytes } from "../domain/size.ts";
import { candidatesOf, timeZoneOf } from "./retention-plan.ts";
import { rulesInForce } from "./rules-in-force.ts";
import type { Site } from "./site.ts";

const packsAtOnce = 200;

/** A rewriting takes no more than this share of what is free: backups need the rest. */
const shareOfRoom = 0.5;

/** Which packs are sparse now, by what the catalog knows of references, and what becomes of each. Changes nothing. `onPage` hears of each step. */
export const assessPacks = async (site: Site, now: Date, onPage: (judged: number) => void): Promise<SparsePack[]> => {
  const catalog = await site.catalog();
  const { rewrite, grace } = site.loaded.config.retention;
  const below = rewrite.below / 100;
  const paysBy = ageAfter(now, rewrite.within);
  const circumstances = { ...(await comingAndGoing(site, now, paysBy)), stores: await storeFacts(site) };
  const candidates = await sparseCandidates(catalog, below);
  const facts: PackFacts[] = [];
  for (let from = 0; from < candidates.length; from += packsAtOnce) {
    facts.push(...(await packFacts(catalog, candidates.slice(from, from + packsAtOnce), circumstances)));
    onPage(facts.length);
  }
  return planSparsePacks(facts, {
    ...{ below, paysBy, now },
    bytesPerRun: sizeBytes(rewrite.bytesPerRun),
    room: (await roomLeft(site)) * shareOfRoom,
    youngAfter: new Date(now.getTime() - durationMs(grace)),
  });
};

/** Which databases are backed up still, and which of their snapshots are gone by `until`. */
const comingAndGoing = async (site: Site, now: Date, until: Date) => {
  const catalog = await site.catalog();
  const going: string[] = [];
  const backedUp = new Set<string>();
  for (const { name } of site.loaded.config.databases) {
    const all = await spacedSnapshots(catalog, name);
    const times = all.map(({ capturedAt }) => new Date(capturedAt));
    if (isBackedUp(times, now)) backedUp.add(name);
    const { rules } = await rulesInForce(site, name);
    // Without backups to come nothing pushes the present ones out.
    const pauseMs = backedUp.has(name) ? shortestGapMs(site.policyOf(name).schedule.cron) : Number.POSITIVE_INFINITY;
    going.push(...goneBy(candidatesOf(rules, all), rules, timeZoneOf(site, name), { now, until, pauseMs }));
  }
  return { going, backedUp };
};

const storeFacts = (site: Site) =>
  Promise.all(
    site.loaded.config.stores.map(async ({ name }) => {
      const { minimumDays, deletion } = (await site.store(name)).capabilities;
      return { name, minimumDays, forever: deletion === "impossible" };
    }),
  );

/** Bytes that the fullest of the stores which policies name still has room for. */
const roomLeft = async (site: Site): Promise<number> => {
  const { config } = site.loaded;
  const usage = await storeUsage(await site.catalog());
  const names = new Set(config.policies.flatMap(({ landing, stores }) => [landing, ...stores]));
  const left = [...names].map((name) => {
    const quota = quotaOfStore(config, name);
    if (quota.bytes === null) return Number.POSITIVE_INFINITY;
    const used = usage.filter(({ store }) => quota.stores.includes(store)).reduce((sum, { bytes }) => sum + bytes, 0);
    return Math.max(quota.bytes - used, 0);
  });
  return Math.min(...left, Number.POSITIVE_INFINITY);
};
