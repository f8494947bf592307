import { type Catalog, query } from "./catalog.ts";

export interface ReplicaRecord {
  readonly object: string;
  readonly store: string;
  readonly receipt: string;
  readonly bytes: number;
  readonly provenAt: string | null;
}

/** Which stores have these objects. */
export const listReplicas = (catalog: Catalog, objects: readonly string[]): Promise<ReplicaRecord[]> =>
  query(
    catalog,
    "listing replicas",
    `SELECT object, store, receipt, bytes, proven_at AS "provenAt" FROM dbgov.replica
     WHERE object = ANY ($1::text[]) AND receipt IS NOT NULL ORDER BY object, store`,
    [objects],
  );
