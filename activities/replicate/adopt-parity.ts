import { announceReplica } from "../../core/catalog/announce-replica.ts";
import { packInfo } from "../../core/catalog/pack-info.ts";
import { recordParity } from "../../core/catalog/parity.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import type { PolicyConfig } from "../../core/config/schema.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { parityPrefix, partsOfKey } from "../../core/repository/object-keys.ts";
import { longestParityHead, type ParityGroup, readParityHead } from "../../core/repository/parity.ts";
import type { Site } from "../../core/site/site.ts";
import type { Store, StoredObject } from "../../core/stores/store.ts";

interface FoundPiece {
  readonly store: string;
  readonly object: StoredObject;
}

interface FoundGroup extends ParityGroup {
  readonly found: Map<number, FoundPiece>;
}

/**
 * For a catalog that knows no parity, as one that was rebuilt: what lies in the stores from before says itself whose it is. Groups that are whole, of packs
 * that the catalog knows, count again; everything else is written down as belonging to nothing, and is cleared away.
 */
export const adoptParity = async (at: Site, policies: readonly PolicyConfig[], signal: AbortSignal): Promise<void> => {
  const catalog = await at.catalog();
  const groups = new Map<string, FoundGroup>();
  for (const name of new Set(policies.flatMap(({ parity }) => parity!.stores))) {
    const store = await at.store(name);
    for await (const object of store.list(parityPrefix, signal)) {
      await announceReplica(catalog, object.key, name, object.bytes);
      const head = await headOf(store, object, signal);
      if (head === undefined) continue;
      const { piece, ...group } = head;
      const known = groups.get(JSON.stringify(group)) ?? { ...group, found: new Map() };
      groups.set(JSON.stringify(group), known);
      known.found.set(piece, { store: name, object });
    }
  }
  const taken = new Set<string>();
  for (const group of groups.values()) {
    // Of a group that was dissolved pieces may lie there still, beside those of its packs' new one.
    if (group.packs.some(({ id }) => taken.has(id)) || !(await adopt(at, policies, group))) continue;
    for (const { id } of group.packs) taken.add(id);
  }
};

/** Undefined for what is no parity, whatever its name says. */
const headOf = async (store: Store, { key, bytes }: StoredObject, signal: AbortSignal) => {
  try {
    const head = await store.get(key, signal, { offset: 0, length: Math.min(bytes, longestParityHead) });
    return readParityHead(head, `${key} in store ${store.name}`);
  } catch (error) {
    signal.throwIfAborted();
    if (isFailure(error, "ObjectCorrupt") || isFailure(error, "ObjectMissing") || isFailure(error, "FormatUnsupported")) return undefined;
    throw error;
  }
};

const adopt = async (at: Site, policies: readonly PolicyConfig[], { found, ...group }: FoundGroup): Promise<boolean> => {
  const catalog = await at.catalog();
  const policy = policies.find(({ parity }) => parity?.group === group.packs.length && parity.pieces === group.pieces);
  if (policy === undefined || found.size < group.pieces) return false;
  const ids = group.packs.map(({ id }) => id);
  if ((await packInfo(catalog, ids)).length < ids.length) return false;
  const pieces = Array.from({ length: group.pieces }, (_, piece) => found.get(piece)!);
  for (const { store, object } of pieces) {
    // Not proven: its turn to be challenged comes.
    await recordReplica(catalog, { object: object.key, store, receipt: object.receipt, bytes: object.bytes, provenAt: null });
  }
  await recordParity(
    catalog,
    policy.name,
    group,
    pieces.map(({ object }) => partsOfKey(object.key).id),
  );
  return true;
};
