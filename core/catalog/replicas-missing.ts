import { type Catalog, query } from "./catalog.ts";

/**
 * Keys of the snapshot's objects that `store` is not recorded to have: packs, then ranges, the manifest last, so that a
 * store which has a manifest has all that it needs.
 */
export const replicasMissing = async (catalog: Catalog, snapshot: string, store: string): Promise<string[]> => {
  const rows = await query<{ key: string }>(
    catalog,
    `comparing snapshot ${snapshot} with store ${store}`,
    `WITH ranges AS (
       SELECT range_no FROM dbgov.snapshot s JOIN dbgov.snapshot_range USING (snapshot_no) WHERE s.id = $1
     ), objects AS (
       SELECT DISTINCT 1 AS place, dbgov.pack_key(p.id) AS key
       FROM ranges JOIN dbgov.range_pack USING (range_no) JOIN dbgov.pack p USING (pack_no)
       UNION ALL
       SELECT 2, dbgov.range_key(r.id) FROM ranges JOIN dbgov.range r USING (range_no)
       UNION ALL
       SELECT 3, dbgov.manifest_key(id) FROM dbgov.snapshot WHERE id = $1 AND removed_at IS NULL
     )
     SELECT key FROM objects o
     WHERE NOT EXISTS (SELECT FROM dbgov.replica r WHERE r.object = o.key AND r.store = $2 AND r.receipt IS NOT NULL)
     ORDER BY place, key`,
    [snapshot, store],
  );
  return rows.map((row) => row.key);
};
