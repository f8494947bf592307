import { type Catalog, query } from "./catalog.ts";
import { isArchived } from "./is-archived.ts";

export interface ReplicaRecord {
  readonly object: string;
  readonly store: string;
  readonly receipt: string;
  readonly bytes: number;
  readonly provenAt: string | null;
  /** It lies in a tier where nothing can be read for hours. */
  readonly archived: boolean;
}

/** Which stores have these objects. */
export const listReplicas = (catalog: Catalog, objects: readonly string[]): Promise<ReplicaRecord[]> =>
  query(
    catalog,
    "listing replicas",
    `SELECT object, store, receipt, bytes, proven_at AS "provenAt", ${isArchived("replica")} AS archived FROM dbgov.replica
     WHERE object = ANY ($1::text[]) AND receipt IS NOT NULL ORDER BY object, store`,
    [objects],
  );
