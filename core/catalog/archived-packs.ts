import { type Catalog, query } from "./catalog.ts";
import { isArchived } from "./is-archived.ts";

export interface ArchivedPack {
  readonly pack: string;
  readonly store: string;
  readonly bytes: number;
}

/**
 * Packs of a snapshot that are archived in one of these stores: only those that no other of them has where it can be read, or, with `all`,
 * every one.
 */
export const archivedPacks = (catalog: Catalog, snapshot: string, stores: readonly string[], all: boolean): Promise<ArchivedPack[]> =>
  query(
    catalog,
    `looking what of snapshot ${snapshot} is archived`,
    `WITH packs AS (
       SELECT DISTINCT p.id FROM dbgov.snapshot s JOIN dbgov.snapshot_range USING (snapshot_no) JOIN dbgov.range_pack USING (range_no)
       JOIN dbgov.pack p USING (pack_no) WHERE s.id = $1
     ), copies AS (
       SELECT p.id, r.store, r.bytes, ${isArchived("r")} AS archived FROM packs p JOIN dbgov.replica r ON r.object = dbgov.pack_key(p.id)
       WHERE r.receipt IS NOT NULL AND r.store = ANY ($2::text[])
     )
     SELECT encode(c.id, 'hex') AS pack, c.store, c.bytes FROM copies c WHERE c.archived
       AND ($3 OR NOT EXISTS (SELECT FROM copies o WHERE o.id = c.id AND NOT o.archived))
     ORDER BY c.store, c.id`,
    [snapshot, stores, all],
  );
