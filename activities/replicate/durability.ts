import { log } from "@temporalio/activity";
import { endStoreFindings } from "../../core/catalog/copy-findings.ts";
import { storeCoverage } from "../../core/catalog/due-copies.ts";
import { countLostCopies, type LostCopy, lostCopies } from "../../core/catalog/lost-copies.ts";
import { markAsked } from "../../core/catalog/mark-asked.ts";
import { markPacksLost } from "../../core/catalog/mark-packs-lost.ts";
import { forgetPackBlocks } from "../../core/catalog/pack-blocks.ts";
import { hasParity } from "../../core/catalog/parity.ts";
import { storeTrust } from "../../core/catalog/store-trust.ts";
import { durationMs } from "../../core/domain/duration.ts";
import { type Failure, type FailureType, isFailure } from "../../core/domain/failure.ts";
import type { RepairShare, RepairTotals } from "../../core/domain/run.ts";
import { shareOf } from "../../core/domain/store-trust.ts";
import { partsOfKey } from "../../core/repository/object-keys.ts";
import { type ChallengeRound, challengeCopies, type RoundResult } from "../../core/site/challenge-copies.ts";
import { knownStores } from "../../core/site/known-stores.ts";
import type { Site } from "../../core/site/site.ts";
import { mostPassed, storeAnswers } from "../../core/site/store-answers.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { keepAlive } from "../keep-alive.ts";
import { tellCoverage } from "./durability-metrics.ts";
import { reviewQuarantine } from "./quarantine.ts";
import { replaceCopy } from "./replace-copy.ts";

/** Longer than any store's own time limit for one object. */
const standstill = { afterMs: 20 * 60_000, type: "StoreUnreachable" } as const;
/** So many names are in memory at once, however many copies are lost. */
const page = 200;
/** Messages of a pass that go into its history; the catalog has all of them. */
const mostTold = 5;

/** How each store stands after a pass, for alarms. */
const tellAll = async (at: Site): Promise<void> => {
  const catalog = await at.catalog();
  const since = new Date(Date.now() - at.loaded.config.durability.coverDays * 86_400_000);
  const covered = await storeCoverage(catalog, since);
  const coverage = new Map(covered.map((one) => [one.store, one]));
  const trust = await storeTrust(catalog);
  for (const name of knownStores(at, covered)) {
    tellCoverage(name, trust.get(name) ?? 1, coverage.get(name) ?? { copies: 0, overdue: 0, lost: 0 });
  }
};

/** It is locked, its network takes its time, or what came back was wrong: that says nothing about the store's other copies. */
const ofCopyAlone: readonly FailureType[] = ["StoreUnsettled", "StoreRetained", "ObjectCorrupt"];

/** Whether others of its store may be replaced all the same; of those whose store only seems well, `passed` counts how many there were. */
const isOfCopyAlone = async (
  at: Site,
  { store }: LostCopy,
  { type }: Failure,
  passed: Map<string, number>,
  signal: AbortSignal,
): Promise<boolean> => {
  if (ofCopyAlone.includes(type)) return true;
  const before = passed.get(store) ?? 0;
  if (type !== "StoreUnreachable" || before >= mostPassed || !(await storeAnswers(await at.store(store), signal))) return false;
  passed.set(store, before + 1);
  return true;
};

export const createDurabilityActivities = ({ site }: ActivityEnvironment) => ({
  /** How many copies of each store are to be challenged now, so that all of them are covered in time. */
  planRepair: async ({ store }: { store?: string }): Promise<{ askedBefore: string; shares: readonly RepairShare[]; parity: boolean }> => {
    const at = await site();
    const catalog = await at.catalog();
    const { every, coverDays, blocks } = at.loaded.config.durability;
    const names = (store === undefined ? at.loaded.config.stores : [at.loaded.config.stores.find(({ name }) => name === store)])
      .filter((known) => known !== undefined)
      .map(({ name }) => name);
    await forgetPackBlocks(catalog);
    const now = new Date();
    const coverMs = coverDays * 86_400_000;
    const coverage = new Map((await storeCoverage(catalog, new Date(now.getTime() - coverMs))).map((one) => [one.store, one]));
    const trust = await storeTrust(catalog);
    const shares = names.map((name) => {
      const { copies = 0, overdue = 0 } = coverage.get(name) ?? {};
      const cover = { everyMs: durationMs(every), coverMs, blocks };
      const share = shareOf(copies, overdue, trust.get(name) ?? 1, cover);
      // Asked for one store by hand, all of it is meant.
      return { store: name, ...share, ...(store === undefined ? {} : { copies }) };
    });
    // A policy that no longer asks for any may have left some behind.
    const parity = at.loaded.config.policies.some((policy) => policy.parity !== undefined) || (await hasParity(catalog));
    return { askedBefore: now.toISOString(), shares, parity };
  },

  /** One round of challenges of one store. What is found is in the catalog, not in the answer. */
  challengeCopies: (round: ChallengeRound): Promise<RoundResult> =>
    keepAlive({ ...standstill, what: `challenging ${round.store}` }, async (report, signal) => {
      const at = await site();
      const result = await challengeCopies(at, round, signal, report);
      if (result.stopped === undefined && result.asked > 0)
        await endStoreFindings(await at.catalog(), round.store, ["unreachable", "throttled", "refused"]);
      return result;
    }),

  /**
   * Replaces every copy that was found bad by a good one, whoever found it. A store that does not take its copies now keeps none of the others
   * from theirs; copies whose turn was longest ago come first, so that no number of them which cannot be replaced keeps others waiting for good. A pack that nobody has any more is noted as lost, so that captures write its content anew.
   */
  repairLost: (): Promise<RepairTotals> =>
    keepAlive({ ...standstill, what: "replacing bad copies" }, async (report, signal) => {
      const at = await site();
      const catalog = await at.catalog();
      const stores = at.loaded.config.stores.map(({ name }) => name);
      const repaired = new Map<string, number>();
      const unable = new Map<string, { type: FailureType; message: string }>();
      const passed = new Map<string, number>();
      const lost = new Set<string>();
      const pass = new Date();
      for (;;) {
        const able = stores.filter((store) => !unable.has(store));
        const copies = await lostCopies(catalog, able, pass, page);
        if (copies.length === 0) break;
        const gone: string[] = [];
        for (const copy of copies) {
          if (unable.has(copy.store)) continue;
          await markAsked(catalog, copy.object, copy.store, pass);
          try {
            const replaced = await replaceCopy(at, copy, signal);
            if (typeof replaced === "object") repaired.set(copy.store, (repaired.get(copy.store) ?? 0) + 1);
            if (replaced === "nobody") gone.push(copy.object);
          } catch (error) {
            signal.throwIfAborted();
            if (!isFailure(error)) throw error;
            const { type, message } = error;
            if (!(await isOfCopyAlone(at, copy, error, passed, signal))) unable.set(copy.store, { type, message });
            // What only takes its time is nothing to look into.
            else if (type !== "StoreUnsettled") log.warn("a bad copy stays for now", { ...copy, type, message });
          }
          report({ ...copy });
        }
        const packs = gone.filter((key) => partsOfKey(key).kind === "packs").map((key) => partsOfKey(key).id);
        await markPacksLost(catalog, packs);
        for (const object of gone) if (lost.size < mostTold) lost.add(object);
      }
      await reviewQuarantine(
        at,
        stores.filter((store) => !unable.has(store)),
        signal,
      );
      await tellAll(at);
      return {
        repaired: Object.fromEntries(repaired),
        left: await countLostCopies(catalog, stores),
        lost: [...lost],
        unable: [...unable].map(([store, failure]) => ({ store, ...failure })),
      };
    }),
});
