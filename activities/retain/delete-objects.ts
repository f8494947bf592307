import { beginDelete } from "../../core/catalog/begin-delete.ts";
import { deletable, outOfReach } from "../../core/catalog/deletable.ts";
import { finishDelete } from "../../core/catalog/finish-delete.ts";
import { pastSaving } from "../../core/catalog/past-saving.ts";
import type { DeletableObject } from "../../core/catalog/records.ts";
import { noteRetained, retainedByStore } from "../../core/catalog/retained-copies.ts";
import { durationMs } from "../../core/domain/duration.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { deletionOf } from "../../core/site/deletion-means.ts";
import type { Site } from "../../core/site/site.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { keepAlive } from "../keep-alive.ts";

/** Objects that are past saving, by key and by the stores that have them. */
export interface Deletions {
  readonly objects: readonly DeletableObject[];
  readonly keys: readonly string[];
  /** Of their copies: how many are gone for real, only unpinned, or stay in the network for good. */
  readonly copies?: { readonly gone: number; readonly unpinned: number; readonly kept: number };
}

/** Longer than any store's own time limit for one deletion. */
const standstill = { afterMs: 5 * 60_000, type: "StoreUnreachable" } as const;

/** A store that does not say until when it keeps an object is asked again a day later. */
const askAgainMs = 24 * 60 * 60_000;

export const createDeleteObjects = ({ site }: ActivityEnvironment) => ({
  /** Up to `limit` objects whose grace time is over, marked as deleted: from here on no capture can rely on them. */
  chooseDeletions: async ({ limit }: { limit: number }): Promise<Deletions> => {
    const at = await site();
    const catalog = await at.catalog();
    const grace = durationMs(at.loaded.config.retention.grace);
    const candidates = await deletable(catalog, new Date(Date.now() - grace), limit, storesOf(at));
    const marked = new Set(
      await beginDelete(
        catalog,
        candidates.map(({ id }) => id),
      ),
    );
    const objects = candidates.filter(({ id, kind }) => kind === "envelopes" || marked.has(id));
    const copies = { gone: 0, unpinned: 0, kept: 0 };
    const countOf = { real: "gone", unpin: "unpinned", impossible: "kept" } as const;
    for (const store of objects.flatMap(({ stores }) => stores)) copies[countOf[await deletionOf(at, store)]] += 1;
    return { objects, keys: objects.map(({ key }) => key), copies };
  },

  /** Stores that left the configuration while they still had what was to be deleted, and those that do not let everything go yet. */
  lookForUnreachable: async (): Promise<{
    stores: readonly { store: string; objects: number }[];
    retained?: readonly { store: string; objects: number; until: string | null }[];
  }> => {
    const at = await site();
    const catalog = await at.catalog();
    const retained = await retainedByStore(catalog);
    return { stores: await outOfReach(catalog, storesOf(at)), ...(retained.length > 0 ? { retained } : {}) };
  },

  /**
   * Deletes them from every store. One that a store cannot delete stays there as ciphertext that nothing opens any more. One that a store
   * refuses to delete for now is noted, and asked for again when it may go: it keeps nothing else waiting.
   */
  deleteObjects: ({ objects }: Deletions): Promise<{ unpinned: number; kept: number; retained?: number }> =>
    keepAlive({ ...standstill, what: "the deletion of objects" }, async (report, signal) => {
      const at = await site();
      const catalog = await at.catalog();
      const done = { unpinned: 0, kept: 0, retained: 0 };
      // What a workflow asks for is believed only as far as the catalog agrees: a deletion is the one thing that cannot be repeated.
      const may = new Set(await pastSaving(catalog, objects));
      const living = objects.find(({ key }) => !may.has(key));
      if (living !== undefined) throw new Failure("RetentionRefused", `${living.key} is not past saving, and is deleted from no store`);
      for (const { key, stores } of objects) {
        for (const name of stores) {
          const store = await at.store(name);
          report({ key, store: name });
          try {
            if (store.capabilities.deletion === "impossible") done.kept += 1;
            else await store.delete(key, signal);
          } catch (error) {
            if (!isFailure(error, "StoreRetained")) throw error;
            await noteRetained(catalog, { object: key, store: name, ...againAt(error.details?.until, new Date()) });
            done.retained += 1;
            continue;
          }
          if (store.capabilities.deletion === "unpin") done.unpinned += 1;
          await finishDelete(catalog, key, name);
        }
      }
      return done;
    }),
});

const againAt = (until: unknown, now: Date): { until: Date | null; retryAt: Date } => {
  const told = typeof until === "string" && Date.parse(until) > now.getTime() ? new Date(until) : null;
  return { until: told, retryAt: told ?? new Date(now.getTime() + askAgainMs) };
};

const storesOf = ({ loaded }: Site): string[] => loaded.config.stores.map(({ name }) => name);
