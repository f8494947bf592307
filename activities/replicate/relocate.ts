import { dropReplica } from "../../core/catalog/drop-replica.ts";
import { type PlacedObject, pagePlacedObjects } from "../../core/catalog/placed-objects.ts";
import { storeUsage } from "../../core/catalog/store-usage.ts";
import { policyOfDatabase } from "../../core/config/plan-inputs.ts";
import { eachLimited } from "../../core/domain/each-limited.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { type Move, planRelocation, type Relocation } from "../../core/domain/relocation.ts";
import { partsOfKey } from "../../core/repository/object-keys.ts";
import { planPoliciesOf, planStoresOf } from "../../core/site/placement.ts";
import { preferredStores } from "../../core/site/preferred-stores.ts";
import type { Site } from "../../core/site/site.ts";
import { strictestPolicy } from "../../core/site/stores-plan.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { keepAlive } from "../keep-alive.ts";
import { abandonCopies } from "./abandon-copies.ts";
import { whyStillNeeded } from "./good-elsewhere.ts";
import { openMover } from "./mover.ts";
import { openPace } from "./pace.ts";
import { type ParityRelocation, planParity } from "./plan-parity.ts";

export interface RelocationPage {
  /** The store that is left; null when every policy is to get what it asks for. */
  readonly leaving: string | null;
  /** Nothing can be read from it any more. */
  readonly gone: boolean;
  /** Where the last page ended; empty for the first. */
  readonly after: string;
  /** Bytes a second; null: no bound. */
  readonly rate: number | null;
}

export interface RelocatedPage {
  /** Where the next page begins; null: this was the last. */
  readonly next: string | null;
  readonly objects: number;
  readonly moved: number;
  readonly bytes: number;
  /** What has not all of its copies, by the reason. */
  readonly left: Readonly<Record<string, number>>;
}

/** Objects that one call looks at. What it has copied is recorded at once, so a call that is repeated goes on where it was. */
const pageObjects = 250;
/** Each may hold a pack in memory. */
const atOnce = 2;
/** A rate may let a pack wait for long, which is told; this is for a store that hangs. */
const standstill = { afterMs: 20 * 60_000, type: "StoreUnreachable" } as const;

export const createRelocate = ({ site }: ActivityEnvironment) => ({
  /** Copies what the next objects lack: what a store that is left alone has, or what policies ask for. Each copy is read back. */
  relocatePage: (input: RelocationPage): Promise<RelocatedPage> =>
    keepAlive({ ...standstill, what: describe(input) }, async (report, signal) => {
      const at = await site();
      const catalog = await at.catalog();
      const { objects, next } = await pagePlacedObjects(catalog, { after: input.after, limit: pageObjects, holder: input.leaving });
      const { needed, moves, left } = await plan(at, objects, input);
      const reasons: Record<string, number> = {};
      const leave = (why: string): void => {
        reasons[why] = (reasons[why] ?? 0) + 1;
      };
      for (const { why } of left) leave(why);

      const mover = openMover(at, catalog, { ...input, what: describe(input) }, signal);
      const pace = openPace(input.rate);
      let moved = 0;
      let bytes = 0;
      await eachLimited(moves, atOnce, async (move) => {
        await pace(move.bytes, signal, (ms) => report({ waiting: `${Math.round(ms / 1_000)} s, for the rate`, moved }));
        const object = needed.find(({ key }) => key === move.key)!;
        try {
          bytes += await mover.move(move, object);
          moved += 1;
        } catch (error) {
          if (!isFailure(error)) throw error;
          signal.throwIfAborted();
          leave(error.message.replaceAll(move.key, "an object"));
        }
        report({ moved, bytes, of: moves.length, after: input.after });
      });
      for (const [store, ids] of keyringPlaces(at, needed, moves, input.leaving)) {
        try {
          const { copied, bytes: more } = await mover.keyring(store, ids, (key) => report({ moved, bytes, keyring: key }));
          moved += copied;
          bytes += more;
        } catch (error) {
          if (!isFailure(error)) throw error;
          signal.throwIfAborted();
          leave(error.message);
        }
      }
      return { next, objects: needed.length, moved, bytes, left: reasons };
    }),

  /**
   * Takes objects that no longer need the store from it: they are deleted there, or only no longer counted on where it is gone. What would
   * have too few copies without it stays. Refused while a policy still names the store, as the next backup would fill it again.
   */
  emptyPage: (input: RelocationPage & { readonly leaving: string }): Promise<RelocatedPage> =>
    keepAlive({ ...standstill, what: `the emptying of ${input.leaving}` }, async (report, signal) => {
      const at = await site();
      const catalog = await at.catalog();
      requireUnnamed(at, input.leaving);
      const store = input.gone ? undefined : await at.store(input.leaving);
      if (store?.capabilities.deletion === "impossible")
        throw new Failure("StoreRejected", `store ${input.leaving} cannot delete: what it has stays there as ciphertext`);
      const { objects, next } = await pagePlacedObjects(catalog, { after: input.after, limit: pageObjects, holder: input.leaving });
      const { needed, moves, left } = await plan(at, objects, input);
      const known = new Map(needed.map((object) => [object.key, object]));
      const free = objects.filter(({ key, claimed }) => !claimed || known.has(key)).map((object) => known.get(object.key) ?? object);
      if (store === undefined) {
        const { dropped, lost } = await abandonCopies(catalog, input.leaving, free);
        const why = `store ${input.leaving} had the only copy, which is lost: \`dbgov repair --show\` names it`;
        return { ...sumOf(dropped), next, objects: objects.length, left: lost === 0 ? {} : { [why]: lost } };
      }
      const staying = new Set([...moves, ...left].map(({ key }) => key));
      const pace = openPace(input.rate);
      const reasons: Record<string, number> = {};
      let moved = 0;
      let bytes = 0;
      for (const object of free) {
        if (staying.has(object.key)) continue;
        await pace(object.bytes, signal, () => report({ moved }));
        const why = object.databases.length > 0 ? await whyStillNeeded(at, catalog, object, input.leaving, signal) : undefined;
        if (why !== undefined) {
          reasons[why] = (reasons[why] ?? 0) + 1;
          continue;
        }
        await store.delete(object.key, signal);
        await dropReplica(catalog, object.key, input.leaving);
        moved += 1;
        bytes += object.bytes;
        report({ moved, bytes });
      }
      return { next, objects: objects.length, moved, bytes, left: reasons };
    }),
});

const describe = ({ leaving }: RelocationPage): string =>
  leaving === null ? "the rebalancing of the stores" : `the evacuation of ${leaving}`;

const sumOf = (objects: readonly PlacedObject[]): { moved: number; bytes: number } => ({
  moved: objects.length,
  bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
});

const requireUnnamed = (at: Site, name: string): void => {
  const { policies, log } = at.loaded.config;
  for (const { name: policy, landing, stores, envelopes, archive, parity } of policies) {
    const named = { landing: [landing], stores, envelopes, archive, "parity.stores": parity?.stores ?? [] };
    const [under] = Object.entries(named).find(([, names]) => names.includes(name)) ?? [];
    if (under === undefined) continue;
    throw new Failure("UsageInvalid", `policy ${policy} still names store ${name} under ${under}: take it out there, then run this again`);
  }
  if (log.store === name) throw new Failure("UsageInvalid", `the log lives in store ${name}: name another under log.store first`);
};

/** Of a page's objects those that are needed, and where they go. */
const plan = async (at: Site, page: readonly PlacedObject[], input: RelocationPage): Promise<ParityRelocation> => {
  const objects = page.filter(({ databases }) => databases.length > 0);
  const { moves, left } = await planObjects(at, objects, input);
  // Parity is listed only of a store that is left.
  const pieces = page.filter(({ key }) => partsOfKey(key).kind === "parity");
  const parity = input.leaving === null ? undefined : await planParity(at, pieces, input.leaving);
  if (parity === undefined) return { needed: objects, moves, left };
  return { needed: [...objects, ...parity.needed], moves: [...moves, ...parity.moves], left: [...left, ...parity.left] };
};

const planObjects = async (at: Site, objects: readonly PlacedObject[], { leaving }: RelocationPage): Promise<Relocation> => {
  const { config } = at.loaded;
  const catalog = await at.catalog();
  const stores = await planStoresOf(at, await storeUsage(catalog), { leaving: leaving ?? undefined });
  const together = await preferredStores(at, stores);
  return planRelocation(
    objects.map(({ key, bytes, databases, holders }) => ({
      ...{ key, bytes, policy: strictestPolicy(config, databases), holders },
      prefers: together.get(databases[0]!),
    })),
    await planPoliciesOf(at),
    stores,
    leaving !== null,
  );
};

/** Which stores keep the keyring of which of these ranges and manifests: those that policies name for it, and that have or get the object. */
const keyringPlaces = (
  at: Site,
  objects: readonly PlacedObject[],
  moves: readonly Move[],
  leaving: string | null,
): Map<string, string[]> => {
  const { config } = at.loaded;
  const gets = Map.groupBy(moves, ({ key }) => key);
  const places = new Map<string, string[]>();
  for (const { key, databases, holders } of objects) {
    const { kind, id } = partsOfKey(key);
    if (kind !== "ranges" && kind !== "manifests") continue;
    const has = new Set([...holders, ...(gets.get(key) ?? []).map(({ to }) => to)]);
    for (const store of new Set(databases.flatMap((database) => policyOfDatabase(config, database).envelopes)))
      if (store !== leaving && has.has(store)) places.set(store, [...(places.get(store) ?? []), id]);
  }
  return places;
};
