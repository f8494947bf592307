import { eachLimited } from "../domain/each-limited.ts";
import { Failure } from "../domain/failure.ts";
import type { Manifest } from "../repository/manifest.ts";
import { packKey } from "../repository/object-keys.ts";
import type { RehydratePriority, Store } from "../stores/store.ts";
import { fetchRange, type SnapshotAccess } from "./open-snapshot.ts";

/** How far packs are that were archived. */
export interface Rehydration {
  readonly packs: number;
  /** Those that can be read, as the store says. */
  readonly online: number;
}

const atOnce = 8;

/**
 * Asks a store for packs that it has archived, and says how many can be read by now. Repeated, it asks for nothing twice. `onOnline` hears of
 * each that can be read. Throws `UsageInvalid` for a store that archives nothing, `ObjectMissing` for a pack that it does not have.
 */
export const rehydratePacks = async (
  store: Store,
  packs: readonly string[],
  priority: RehydratePriority,
  signal: AbortSignal,
  onPack: (pack: string, state: "online" | "coming") => Promise<void> | void,
): Promise<Rehydration> => {
  const { rehydrate } = store;
  if (rehydrate === undefined)
    throw new Failure("UsageInvalid", `store ${store.name} has no archive tier, so there is nothing to bring back from it`);
  let online = 0;
  await eachLimited(packs, atOnce, async (pack) => {
    const state = await rehydrate(packKey(pack), priority, signal);
    if (state === "online") online += 1;
    await onPack(pack, state);
  });
  return { packs: packs.length, online };
};

/** The packs that a snapshot needs, by its own ranges: what knows them where there is no catalog. */
export const packsOfManifest = async (manifest: Manifest, access: SnapshotAccess, store: Store, signal: AbortSignal): Promise<string[]> => {
  const packs = new Set<string>();
  await eachLimited(
    manifest.streams.flatMap(({ ranges }) => ranges),
    atOnce,
    async ({ id }) => {
      for (const { location } of (await fetchRange(access, id, store, signal)).chunks) packs.add(location.pack);
    },
  );
  return [...packs].sort();
};
