import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { parityOf } from "../../core/catalog/parity.ts";
import { storeTrust } from "../../core/catalog/store-trust.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { inOrderOfTrust } from "../../core/domain/store-trust.ts";
import { packKey, parityKey } from "../../core/repository/object-keys.ts";
import { type ReadPart, rebuildPack } from "../../core/repository/parity.ts";
import type { Site } from "../../core/site/site.ts";
import { hashObject } from "../../core/stores/hash-object.ts";

/**
 * A way to read an object part by part, from the first store whose copy hashes to `id`. Undefined where none does. That costs reading it twice;
 * but one altered byte would spoil everything that is made of it.
 */
export const goodSource = async (at: Site, key: string, id: string, signal: AbortSignal): Promise<ReadPart | undefined> => {
  const catalog = await at.catalog();
  const replicas = await listReplicas(catalog, [key]);
  const names = inOrderOfTrust(
    replicas.map(({ store }) => store),
    await storeTrust(catalog),
  );
  for (const name of names) {
    try {
      const store = await at.store(name);
      const found = await store.stat(key, signal);
      if (found === undefined || (await hashObject(store, key, found.bytes, signal)) !== id) continue;
      return (offset, length) => store.get(key, signal, { offset, length });
    } catch (error) {
      signal.throwIfAborted();
      // The next store may have it.
      if (!isFailure(error)) throw error;
    }
  }
  return undefined;
};

/** The bytes of a pack that no store has any more, from parity; undefined where there is none, or too little of it and of the group's other packs. */
export const packFromParity = async (at: Site, pack: string, signal: AbortSignal): Promise<Uint8Array | undefined> => {
  const group = await parityOf(await at.catalog(), pack);
  if (group === undefined) return undefined;
  const packs: (ReadPart | undefined)[] = [];
  for (const { id } of group.packs) packs.push(id === pack ? undefined : await goodSource(at, packKey(id), id, signal));
  let missing = packs.filter((read) => read === undefined).length;
  const pieces: (ReadPart | undefined)[] = [];
  for (const id of group.ids) {
    const read = missing > 0 ? await goodSource(at, parityKey(id), id, signal) : undefined;
    if (read !== undefined) missing -= 1;
    pieces.push(read);
  }
  return missing > 0 ? undefined : await rebuildPack(group, pack, packs, pieces);
};
