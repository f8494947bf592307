import type { Catalog } from "./catalog.ts";
import { dropReplica } from "./drop-replica.ts";

/** A store no longer has the object. Once none has it, `deletable` names it no more. Idempotent. */
export const finishDelete = (catalog: Catalog, key: string, store: string): Promise<void> => dropReplica(catalog, key, store);
