import type { Catalog } from "../../core/catalog/catalog.ts";
import { recordFindings } from "../../core/catalog/copy-findings.ts";
import { dropReplica } from "../../core/catalog/drop-replica.ts";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { loseReplica } from "../../core/catalog/lose-replica.ts";
import { markPacksLost } from "../../core/catalog/mark-packs-lost.ts";
import type { PlacedObject } from "../../core/catalog/placed-objects.ts";
import { partsOfKey } from "../../core/repository/object-keys.ts";

/**
 * Copies in a store that is gone for good count no longer. Where one was the only one, and a snapshot needs it, it stands as a finding against the store:
 * repairs, sweeps and alarms show it, snapshots that need such a pack are not `verified` any more, and captures write its content anew. Parity is made anew by the
 * next repair. Returns how many were let go, and how many are lost.
 */
export const abandonCopies = async (
  catalog: Catalog,
  store: string,
  objects: readonly PlacedObject[],
): Promise<{ dropped: readonly PlacedObject[]; lost: number }> => {
  const dropped: PlacedObject[] = [];
  const lost: string[] = [];
  for (const object of objects) {
    const { key, databases } = object;
    const isNeeded = databases.length > 0 && partsOfKey(key).kind !== "parity";
    if (isNeeded && !(await listReplicas(catalog, [key])).some((replica) => replica.store !== store)) {
      if (await loseReplica(catalog, key, store)) lost.push(key);
      continue;
    }
    await dropReplica(catalog, key, store);
    dropped.push(object);
  }
  const message = `store ${store} is gone for good, and had the only copy`;
  await recordFindings(
    catalog,
    lost.map((object) => ({ store, object, kind: "missing", message })),
    new Date(),
  );
  await markPacksLost(
    catalog,
    lost.filter((key) => partsOfKey(key).kind === "packs").map((key) => partsOfKey(key).id),
  );
  return { dropped, lost: lost.length };
};
