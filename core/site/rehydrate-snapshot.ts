import { type ArchivedPack, archivedPacks } from "../catalog/archived-packs.ts";
import { noteProtection } from "../catalog/protections.ts";
import { packKey } from "../repository/object-keys.ts";
import { rehydratePacks } from "../snapshot/rehydrate-packs.ts";
import type { RehydratePriority } from "../stores/store.ts";
import type { Site } from "./site.ts";

export interface RehydrateRequest {
  readonly snapshot: string;
  /** All that is archived in this store; without it, in any store, what can be read in no other. */
  readonly store: string | undefined;
  readonly priority: RehydratePriority;
  /** How long packs that come back are left where they are, in milliseconds. */
  readonly keepMs: number;
}

export interface RehydratedStore {
  readonly store: string;
  readonly packs: number;
  readonly bytes: number;
  /** Packs that can be read by now, as the store says. */
  readonly online: number;
}

/** What has to be brought back for a snapshot. */
export const packsToRehydrate = async (site: Site, { snapshot, store }: RehydrateRequest): Promise<ArchivedPack[]> => {
  const stores = store === undefined ? site.loaded.config.stores.map(({ name }) => name) : [store];
  return await archivedPacks(await site.catalog(), snapshot, stores, store !== undefined);
};

/**
 * Asks the stores for these packs, and says how far they are. They count as archived until their store says that they can be read, and are
 * archived again after `keepMs` at the earliest. To ask again is how to hear of it.
 */
export const rehydrateSnapshot = async (
  site: Site,
  { priority, keepMs }: RehydrateRequest,
  packs: readonly ArchivedPack[],
  signal: AbortSignal,
): Promise<RehydratedStore[]> => {
  const catalog = await site.catalog();
  const keepUntil = new Date(Date.now() + keepMs);
  const done: RehydratedStore[] = [];
  for (const [name, own] of Map.groupBy(packs, ({ store }) => store)) {
    const ids = own.map(({ pack }) => pack);
    const { online } = await rehydratePacks(await site.store(name), ids, priority, signal, async (pack, state) => {
      await noteProtection(catalog, { object: packKey(pack), store: name }, { keepUntil, ...(state === "online" ? { tier: "hot" } : {}) });
    });
    done.push({ store: name, packs: own.length, bytes: own.reduce((sum, { bytes }) => sum + bytes, 0), online });
  }
  return done;
};
