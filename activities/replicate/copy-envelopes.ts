import type { Catalog } from "../../core/catalog/catalog.ts";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { envelopesOf } from "../../core/catalog/read-envelopes.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { eachLimited } from "../../core/domain/each-limited.ts";
import { encodeEnvelopes } from "../../core/repository/envelopes.ts";
import { envelopesKey } from "../../core/repository/object-keys.ts";
import type { Store } from "../../core/stores/store.ts";
import type { RoomKeeper } from "./require-room.ts";

/** Announced together, and in memory together. */
const envelopesAtOnce = 200;
const atOnce = 2;

/** Brings the envelopes of these objects (range or snapshot ids) that a store lacks into it, from the keyring. Returns how many, and their bytes. */
export const copyEnvelopes = async (
  catalog: Catalog,
  to: Store,
  room: RoomKeeper,
  ids: readonly string[],
  { signal, onCopied }: { readonly signal: AbortSignal; readonly onCopied: (key: string) => void },
): Promise<{ copied: number; bytes: number }> => {
  const there = await listReplicas(catalog, ids.map(envelopesKey));
  const present = new Set(there.filter(({ store }) => store === to.name).map(({ object }) => object));
  const lacking = ids.filter((id) => !present.has(envelopesKey(id)));
  let copied = 0;
  let bytes = 0;
  for (let first = 0; first < lacking.length; first += envelopesAtOnce) {
    const contents: { readonly object: string; readonly content: Uint8Array }[] = [];
    for (const id of lacking.slice(first, first + envelopesAtOnce)) {
      const envelopes = await envelopesOf(catalog, id);
      // Destroyed meanwhile: then there is nothing to keep.
      if (envelopes.length > 0) contents.push({ object: envelopesKey(id), content: encodeEnvelopes(envelopes) });
    }
    // Before the puts: envelopes that nobody knows of would outlive their deletion.
    await room.reserve(contents.map(({ object, content }) => ({ object, bytes: content.length })));
    await eachLimited(contents, atOnce, async ({ object, content }) => {
      const receipt = await to.put(object, content, signal);
      await recordReplica(catalog, { object, store: to.name, receipt: receipt.id, bytes: content.length, provenAt: null });
      copied += 1;
      bytes += content.length;
      onCopied(object);
    });
  }
  return { copied, bytes };
};
