import { type Catalog, query } from "./catalog.ts";

/** A range whose references nobody has written down yet, and one of the stores asked for that may have it; null when none of them has. */
export interface UnreadRange {
  readonly number: number;
  readonly id: string;
  readonly store: string | null;
}

/** The next ones after `after` (0 to begin with), by number, at most `limit`. */
export const unreadRanges = (
  catalog: Catalog,
  { after, limit, stores }: { readonly after: number; readonly limit: number; readonly stores: readonly string[] },
): Promise<UnreadRange[]> =>
  query(
    catalog,
    "looking for ranges that were not read yet",
    `SELECT g.range_no AS number, encode(g.id, 'hex') AS id,
       (SELECT min(r.store) FROM dbgov.replica r
        WHERE r.object = dbgov.range_key(g.id) AND r.store = ANY ($3::text[]) AND r.lost_at IS NULL) AS store
     FROM dbgov.range g
     WHERE g.range_no > $1 AND g.content_bytes IS NULL AND g.condemned_at IS NULL
       AND EXISTS (SELECT FROM dbgov.range_pack x WHERE x.range_no = g.range_no)
     ORDER BY g.range_no LIMIT $2`,
    [after, limit, stores],
  );
