import { log } from "@temporalio/activity";
import type { Catalog } from "../../core/catalog/catalog.ts";
import { dropReplica } from "../../core/catalog/drop-replica.ts";
import { markAsked } from "../../core/catalog/mark-asked.ts";
import { quarantinedObjects } from "../../core/catalog/quarantined.ts";
import { reserveRoom } from "../../core/catalog/reserve-room.ts";
import { quotaOfStore } from "../../core/config/allowances.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { quarantineKey } from "../../core/repository/object-keys.ts";
import type { Site } from "../../core/site/site.ts";
import type { Store } from "../../core/stores/store.ts";

/** In bytes; more than any object has. What a store has made larger is cut: nobody could hold what it says to have. */
const mostKept = 64 * 2 ** 20;
/** So many are looked at in one pass. */
const perPass = 200;

/**
 * What was altered, and how, is evidence: a bad copy is kept under another name, for somebody to look at and to delete. It counts in the store's quota, and
 * where there is no room for it, it is not kept: the good copy matters more.
 */
export const quarantine = async (at: Site, store: Store, object: string, signal: AbortSignal): Promise<void> => {
  const catalog = await at.catalog();
  const key = quarantineKey(object);
  try {
    const found = await store.stat(object, signal);
    if (found === undefined) return;
    const bytes = Math.min(found.bytes, mostKept);
    await makeRoom(at, catalog, store.name, key, bytes);
    const range = bytes < found.bytes ? { offset: 0, length: bytes } : undefined;
    await store.put(key, await store.get(object, signal, range), signal);
  } catch (error) {
    signal.throwIfAborted();
    if (isFailure(error, "StoreFull"))
      log.warn("a bad copy is not kept for examination", { object, store: store.name, why: error.message });
    // Gone, or cut so that it cannot be read whole: there is nothing to keep.
    else if (!isFailure(error, "ObjectMissing") && !isFailure(error, "ObjectCorrupt")) throw error;
  }
};

const makeRoom = async (at: Site, catalog: Catalog, store: string, object: string, bytes: number): Promise<void> => {
  const quota = quotaOfStore(at.loaded.config, store);
  await reserveRoom(catalog, store, quota, [{ object, bytes }], (demand) => {
    const used = demand.usage.reduce((sum, one) => sum + one.bytes, 0);
    if (quota.bytes !== null && used + demand.bytes > quota.bytes)
      throw new Failure("StoreFull", `store ${store} has no room for ${bytes} bytes of evidence`);
  });
};

/** Somebody has looked at a bad copy and deleted it: it counts no longer. A store that does not answer is asked by the next pass. */
export const reviewQuarantine = async (at: Site, stores: readonly string[], signal: AbortSignal): Promise<void> => {
  const catalog = await at.catalog();
  const away = new Set<string>();
  for (const { object, store } of await quarantinedObjects(catalog, stores, perPass)) {
    if (away.has(store)) continue;
    try {
      if ((await (await at.store(store)).stat(object, signal)) === undefined) await dropReplica(catalog, object, store);
      else await markAsked(catalog, object, store, new Date());
    } catch (error) {
      signal.throwIfAborted();
      if (!isFailure(error)) throw error;
      away.add(store);
    }
  }
};
