import { type Catalog, query } from "./catalog.ts";
import { isArchived } from "./is-archived.ts";
import type { ReplicaSummary } from "./records.ts";

/** What each store has of a live snapshot, by store name; stores that have nothing of it are not listed. */
export const replicaSummary = async (catalog: Catalog, snapshot: string): Promise<ReplicaSummary[]> =>
  await query(
    catalog,
    `summing up the replicas of snapshot ${snapshot}`,
    `WITH ranges AS (
       SELECT range_no FROM dbgov.snapshot s JOIN dbgov.snapshot_range USING (snapshot_no) WHERE s.id = $1
     ), objects AS (
       SELECT DISTINCT true AS pack, dbgov.pack_key(p.id) AS key
       FROM ranges JOIN dbgov.range_pack USING (range_no) JOIN dbgov.pack p USING (pack_no)
       UNION ALL
       SELECT false, dbgov.range_key(r.id) FROM ranges JOIN dbgov.range r USING (range_no)
       UNION ALL
       SELECT false, dbgov.manifest_key(id) FROM dbgov.snapshot WHERE id = $1 AND removed_at IS NULL
     )
     SELECT r.store, count(*) AS objects, (SELECT count(*) FROM objects) AS "objectsOfAll", count(*) FILTER (WHERE o.pack) AS packs,
       count(*) FILTER (WHERE o.pack AND r.archived) AS archived,
       count(*) FILTER (WHERE o.pack AND NOT r.archived AND r.proven_at IS NOT NULL) AS verified,
       CASE WHEN bool_and(r.proven_at IS NOT NULL) FILTER (WHERE o.pack AND NOT r.archived)
         THEN min(r.proven_at) FILTER (WHERE o.pack AND NOT r.archived) END AS "oldestProof"
     FROM objects o JOIN (SELECT *, ${isArchived("replica")} AS archived FROM dbgov.replica) r ON r.object = o.key AND r.receipt IS NOT NULL
     GROUP BY r.store ORDER BY r.store`,
    [snapshot],
  );
