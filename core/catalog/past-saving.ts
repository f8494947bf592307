import { type Catalog, query } from "./catalog.ts";
import type { DeletableObject } from "./records.ts";

/**
 * Those of the objects, by their keys, that may be deleted from stores: packs, ranges and manifests whose deletion has begun, and the
 * envelopes of what was removed or condemned. Also when stores have nothing of them any more.
 */
export const pastSaving = async (catalog: Catalog, objects: readonly Pick<DeletableObject, "kind" | "id">[]): Promise<string[]> => {
  const rows = await query<{ key: string }>(
    catalog,
    "looking whether objects are past saving",
    `WITH wanted AS (SELECT * FROM unnest($1::text[], $2::text[]) AS w (kind, id)),
     hex AS (SELECT kind, decode(id, 'hex') AS id FROM wanted WHERE id ~ '^[0-9a-f]{64}$')
     SELECT dbgov.pack_key(p.id) AS key FROM hex JOIN dbgov.pack p USING (id) WHERE kind = 'pack' AND p.deleted_at IS NOT NULL
     UNION ALL SELECT dbgov.range_key(r.id) FROM hex JOIN dbgov.range r USING (id) WHERE kind = 'range' AND r.deleted_at IS NOT NULL
     UNION ALL SELECT dbgov.envelopes_key(encode(r.id, 'hex')) FROM hex JOIN dbgov.range r USING (id)
       WHERE kind = 'envelopes' AND r.condemned_at IS NOT NULL
     UNION ALL SELECT dbgov.manifest_key(s.id) FROM wanted JOIN dbgov.snapshot s USING (id)
       WHERE kind = 'manifest' AND s.manifest_deleted_at IS NOT NULL
     UNION ALL SELECT dbgov.envelopes_key(s.id) FROM wanted JOIN dbgov.snapshot s USING (id)
       WHERE kind = 'envelopes' AND s.removed_at IS NOT NULL`,
    [objects.map(({ kind }) => kind), objects.map(({ id }) => id)],
  );
  return rows.map(({ key }) => key);
};
