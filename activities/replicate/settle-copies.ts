import { announcedCopies } from "../../core/catalog/announced-copies.ts";
import type { Catalog } from "../../core/catalog/catalog.ts";
import { markAsked } from "../../core/catalog/mark-asked.ts";
import { type ReplicaFacts, recordReplicas } from "../../core/catalog/record-replica.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { Receipt, Store } from "../../core/stores/store.ts";

/**
 * What an earlier attempt has put into a store that settles later, and could not wait for: it need not be sent again. Undefined for what is
 * not there, and for stores whose answer to a put is final.
 */
export const takenBefore = async (
  store: Store,
  key: string,
  signal: AbortSignal,
): Promise<(Receipt & { readonly proven: boolean }) | undefined> => {
  const stat = store.settled === undefined ? undefined : await store.stat(key, signal);
  return stat === undefined ? undefined : { id: stat.receipt, bytes: stat.bytes, proven: false };
};

/**
 * Records what earlier runs have put into a store that settles later, and could not wait for: a proof on a chain may take two days, and a
 * run waits as long as its policy's `patience` only.
 */
export const recordLate = async (
  catalog: Catalog,
  store: Store,
  { signal, onLooked }: { readonly signal: AbortSignal; readonly onLooked: (object: string) => void },
): Promise<void> => {
  if (store.settled === undefined) return;
  for (const object of await announcedCopies(catalog, store.name)) {
    onLooked(object);
    // What never settles keeps nothing that comes after it from being looked at.
    await markAsked(catalog, object, store.name, new Date());
    const stat = await store.stat(object, signal);
    if (stat === undefined || !(await store.settled(object, signal))) continue;
    await recordReplicas(catalog, [{ object, store: store.name, receipt: stat.receipt, bytes: stat.bytes, provenAt: null }]);
  }
};

/**
 * Records of the copies those that the store's network has, in their order, up to the first that it lacks; `StoreUnsettled` then, which the
 * workflow tries again. A copy counts only when it is recorded.
 */
export const recordSettled = async (
  catalog: Catalog,
  store: Store,
  copies: readonly ReplicaFacts[],
  { signal, onSettled }: { readonly signal: AbortSignal; readonly onSettled: (object: string) => void },
): Promise<void> => {
  const settled: ReplicaFacts[] = [];
  try {
    for (const copy of copies) {
      if ((await store.settled?.(copy.object, signal)) === false) {
        const count = copies.length - settled.length;
        throw new Failure(
          "StoreUnsettled",
          `store ${store.name} has taken ${count} objects that its network does not have yet; ${copy.object} is the first`,
        );
      }
      settled.push(copy);
      onSettled(copy.object);
    }
  } finally {
    if (settled.length > 0) await recordReplicas(catalog, settled);
  }
};
