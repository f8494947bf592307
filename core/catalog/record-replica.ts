import { type Catalog, query } from "./catalog.ts";
import type { Instant } from "./records.ts";

export interface ReplicaFacts {
  /** The object's key, as `packs/ab/ab…`. */
  readonly object: string;
  readonly store: string;
  /** What the store calls it. */
  readonly receipt: string;
  readonly bytes: number;
  /** When it was last read back, or challenged for random blocks, and found intact; null when it was only written. */
  readonly provenAt: Instant | null;
}

/** A store has an object. Recorded again, the newer receipt and the later proof stay. */
export const recordReplica = (catalog: Catalog, replica: ReplicaFacts): Promise<void> => recordReplicas(catalog, [replica]);

/** The same for many in one statement. */
export const recordReplicas = async (catalog: Catalog, replicas: readonly ReplicaFacts[]): Promise<void> => {
  // Sorted, so that two calls never wait for each other; of one that is named twice, the last counts.
  const sorted = [...new Map(replicas.map((replica) => [`${replica.object} ${replica.store}`, replica])).entries()]
    .sort()
    .map(([, r]) => r);
  await query(
    catalog,
    "recording replicas",
    `INSERT INTO dbgov.replica (object, store, receipt, bytes, proven_at)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[])
     ON CONFLICT (object, store) DO UPDATE SET receipt = excluded.receipt, bytes = excluded.bytes,
       recorded_at = CASE WHEN replica.receipt IS NULL THEN excluded.recorded_at ELSE replica.recorded_at END, lost_at = NULL,
       proven_at = greatest(replica.proven_at, excluded.proven_at)`,
    [
      sorted.map((replica) => replica.object),
      sorted.map((replica) => replica.store),
      sorted.map((replica) => replica.receipt),
      sorted.map((replica) => replica.bytes),
      sorted.map((replica) => replica.provenAt),
    ],
  );
};
