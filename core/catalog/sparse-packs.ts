import { isRetiring, type SparsePack, type SparseSummary } from "../domain/retention-sparse.ts";
import { type Catalog, query, run, transaction } from "./catalog.ts";
import { lockReferences } from "./locks.ts";
import type { Instant } from "./records.ts";

/**
 * Writes down which packs are sparse, in place of what was found before: two runs at once leave the findings of one of them. From here on
 * captures refer to the retiring ones no more; those that have looked already still may.
 */
export const noteSparsePacks = async (catalog: Catalog, packs: readonly SparsePack[], at: Instant): Promise<void> =>
  await transaction(catalog, "noting which packs are sparse", async (db) => {
    await lockReferences(db, "alone");
    await run(db, "DELETE FROM dbgov.sparse_pack");
    await run(
      db,
      `INSERT INTO dbgov.sparse_pack (pack_no, live_bytes, needed_bytes, verdict, until, retiring, found_at)
       SELECT p.pack_no, s.live, s.needed, s.verdict, s.until, s.retiring, $7
       FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[], $6::boolean[])
         AS s (id, live, needed, verdict, until, retiring)
       JOIN dbgov.pack p ON p.id = decode(s.id, 'hex') WHERE p.condemned_at IS NULL`,
      [
        ...[packs.map(({ id }) => id), packs.map(({ liveBytes }) => liveBytes), packs.map(({ neededBytes }) => neededBytes)],
        ...[packs.map(({ verdict }) => verdict), packs.map(({ until }) => until), packs.map(({ verdict }) => isRetiring(verdict)), at],
      ],
    );
  });

/** Those of the packs that captures are to refer to no more. */
export const retiringPacks = async (catalog: Catalog, ids: readonly string[]): Promise<Set<string>> => {
  const rows = await query<{ id: string }>(
    catalog,
    "looking for retiring packs",
    `SELECT encode(p.id, 'hex') AS id FROM dbgov.sparse_pack s JOIN dbgov.pack p USING (pack_no)
     WHERE s.retiring AND p.id IN (SELECT decode(hex, 'hex') FROM unnest($1::text[]) AS hex)`,
    [ids],
  );
  return new Set(rows.map(({ id }) => id));
};

/** What the last retention run found. Packs that are gone since, or on their way, are left out. */
export const sparseSummary = (catalog: Catalog): Promise<SparseSummary[]> =>
  query(
    catalog,
    "adding up sparse packs",
    `SELECT s.verdict, count(*) AS packs, sum(p.bytes)::bigint AS bytes, sum(p.bytes - s.live_bytes)::bigint AS "deadBytes",
       sum(s.needed_bytes)::bigint AS "neededBytes", max(s.until) AS until
     FROM dbgov.sparse_pack s JOIN dbgov.pack p USING (pack_no) WHERE p.condemned_at IS NULL GROUP BY s.verdict ORDER BY s.verdict`,
  );
