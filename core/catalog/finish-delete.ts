import { type Catalog, query } from "./catalog.ts";
import { dropReplica } from "./drop-replica.ts";

/** A store no longer has the object. Once none has it, `deletable` names it no more. Idempotent. */
export const finishDelete = async (catalog: Catalog, key: string, store: string): Promise<void> => {
  await dropReplica(catalog, key, store);
  await query(catalog, `forgetting ${key} in ${store}`, "DELETE FROM dbgov.retained_copy WHERE object = $1 AND store = $2", [key, store]);
};
