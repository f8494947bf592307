import { storesOfObjects } from "../catalog/stores-of-objects.ts";
import { envelopesKey, manifestKey, packKey, rangeKey } from "../repository/object-keys.ts";
import type { StoreCapabilities } from "../stores/store.ts";
import type { Site } from "./site.ts";

/**
 * What the deletion of a snapshot rests on. `bytes`: every copy of what only it needed lies where deletion is real. `envelopes`: copies
 * stay, or may stay with others, and nothing opens them any more. `unpinning`: envelopes, too, lay where only this operator lets go of
 * them, so somebody who kept them, and has a recipient's key, can still open what they kept.
 */
export type DeletionMeans = "bytes" | "envelopes" | "unpinning";

/** How a store deletes; one that is no longer configured cannot be told, so nothing good is assumed of it. */
export const deletionOf = async (site: Site, store: string): Promise<StoreCapabilities["deletion"]> =>
  site.loaded.config.stores.some(({ name }) => name === store) ? (await site.store(store)).capabilities.deletion : "impossible";

export const deletionMeans = async (
  site: Site,
  snapshot: string,
  gone: { readonly packs: readonly string[]; readonly ranges: readonly string[] },
): Promise<DeletionMeans> => {
  const envelopes = [snapshot, ...gone.ranges].map(envelopesKey);
  const content = [manifestKey(snapshot), ...gone.packs.map(packKey), ...gone.ranges.map(rangeKey)];
  const copies = await storesOfObjects(await site.catalog(), [...envelopes, ...content]);
  const sealed = new Set(envelopes);
  const unreal = new Set<string>();
  for (const store of new Set(copies.map(({ store }) => store))) if ((await deletionOf(site, store)) !== "real") unreal.add(store);
  if (copies.some(({ object, store }) => sealed.has(object) && unreal.has(store))) return "unpinning";
  return copies.some(({ store }) => unreal.has(store)) ? "envelopes" : "bytes";
};
