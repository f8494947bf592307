import {
  copiesToArchive,
  copiesToHold,
  copiesToLock,
  copiesToTier,
  noteProtection,
  type UnprotectedCopy,
} from "../../core/catalog/protections.ts";
import { archivingStores } from "../../core/config/plan-inputs.ts";
import { ageAfter, ageBefore } from "../../core/domain/age.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { rulesInForce } from "../../core/site/rules-in-force.ts";
import type { Site } from "../../core/site/site.ts";
import type { Store } from "../../core/stores/store.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { keepAlive } from "../keep-alive.ts";

/** What was asked of the stores, and the sentences of those that refused. */
export interface Protected {
  readonly locked: number;
  readonly holds: number;
  readonly tiered: number;
  readonly problems: readonly string[];
}

const standstill = { afterMs: 5 * 60_000, type: "StoreUnreachable" } as const;
const atOnce = 5_000;
/** What is archived relies on copies that were read back within so many periods of repair. */
const provenPeriods = 2;
/** A lock is set so much longer than needed that the next nights' snapshots need no other one for objects that they share. */
const sharedMs = 7 * 24 * 60 * 60_000;

/** From the coldest to the hottest, so that what is old enough for two of them is moved once: each bills a time of its own. */
const tierNames = ["cold", "cool"] as const;

export const createProtectObjects = ({ site }: ActivityEnvironment) => ({
  /**
   * Locks what the database's policy wants locked, has its stores hold what is held, and moves packs to cheaper tiers: wherever a store
   * can. Never envelopes: they must be destroyed when their snapshot goes. A store that refuses is told of and left, the others go on.
   */
  protectObjects: ({ database }: { database: string }): Promise<Protected> =>
    keepAlive({ ...standstill, what: "protecting objects" }, async (report, signal) => {
      const at = await site();
      const catalog = await at.catalog();
      const policy = at.policyOf(database);
      const { rules } = await rulesInForce(at, database);
      const now = new Date();
      const problems = new Set<string>();
      const able = await ableStores(at, [policy.landing, ...policy.stores]);
      /** Pages of copies until none is left; those of a store that has refused are left out. */
      const each = async (
        method: "protect" | "legalHold" | "tier",
        from: readonly string[],
        find: (stores: readonly string[]) => Promise<readonly UnprotectedCopy[]>,
        work: (store: Store, copy: UnprotectedCopy) => Promise<void>,
      ): Promise<number> => {
        let stores = from.filter((name) => able.get(name)?.[method] !== undefined);
        let done = 0;
        for (;;) {
          const copies = stores.length === 0 ? [] : await find(stores);
          if (copies.length === 0) return done;
          for (const copy of copies) {
            if (!stores.includes(copy.store)) continue;
            try {
              await work(able.get(copy.store)!, copy);
              done += 1;
              report({ store: copy.store, object: copy.object });
            } catch (error) {
              if (!isFailure(error)) throw error;
              problems.add(error.message);
              stores = stores.filter((name) => name !== copy.store);
            }
          }
        }
      };
      const all = [...able.keys()];
      const lock = async (store: Store, copy: UnprotectedCopy): Promise<void> => {
        const covers = new Date(Date.parse(copy.newest) + sharedMs);
        const until = ageAfter(covers, rules.minimumAge);
        if (until > now) await store.protect?.(copy.object, until, signal);
        await noteProtection(catalog, copy, { until, covers, age: rules.minimumAge });
      };
      const hold = async (store: Store, copy: UnprotectedCopy): Promise<void> => {
        await store.legalHold?.(copy.object, copy.held, signal);
        await noteProtection(catalog, copy, { held: copy.held });
      };
      const wanted = { database, age: rules.minimumAge, limit: atOnce };
      const locked = policy.lock ? await each("protect", all, (stores) => copiesToLock(catalog, { ...wanted, stores }), lock) : 0;
      const holds = policy.lock ? await each("legalHold", all, (stores) => copiesToHold(catalog, stores, atOnce), hold) : 0;
      let tiered = policy.tiers.archive === undefined ? 0 : await archive(policy.tiers.archive);
      const colder = all.filter((name) => name !== policy.landing);
      for (const [n, tier] of tierNames.entries()) {
        const age = policy.tiers[tier];
        if (age === undefined) continue;
        const which = { database, before: ageBefore(now, age), tier, colder: ["archive", ...tierNames.slice(0, n)], limit: atOnce };
        tiered += await each(
          "tier",
          colder,
          (stores) => copiesToTier(catalog, { ...which, stores }),
          async (store, copy) => {
            await store.tier?.(copy.object, tier, signal);
            await noteProtection(catalog, copy, { tier });
          },
        );
      }
      return { locked, holds, tiered, problems: [...problems] };

      async function archive(age: string): Promise<number> {
        const { config } = at.loaded;
        const archiving = archivingStores(config, policy);
        const promised = config.stores.filter(
          ({ name }) => name === policy.landing || (policy.stores.includes(name) && !archiving.includes(name)),
        );
        const which = {
          ...{ database, before: ageBefore(now, age), promised, copies: policy.copies, domains: policy.domains, limit: atOnce },
          databases: config.databases.filter((other) => other.policy === policy.name).map(({ name }) => name),
          provenSince: new Date(now.getTime() - provenPeriods * config.durability.coverDays * 86_400_000),
        };
        return each(
          "tier",
          archiving,
          (stores) => copiesToArchive(catalog, { ...which, stores }),
          async (store, copy) => {
            await store.tier?.(copy.object, "archive", signal);
            const found = await store.stat(copy.object, signal);
            if (found?.offline === undefined)
              throw new Failure("StoreRejected", `store ${store.name} took ${copy.object} for its archive tier, and has it in another`);
            await noteProtection(catalog, copy, { tier: "archive", ...(found.md5 === undefined ? {} : { md5: found.md5 }) });
          },
        );
      }
    }),
});

const ableStores = async (at: Site, names: readonly string[]): Promise<Map<string, Store>> =>
  new Map(await Promise.all([...new Set(names)].map(async (name) => [name, await at.store(name)] as const)));
