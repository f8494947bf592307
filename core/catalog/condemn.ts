import { type Queryable, run } from "./catalog.ts";
import type { Instant } from "./records.ts";

/**
 * Condemns those of the candidates (all ranges when undefined) that no live snapshot needs and no running capture has
 * claimed. Returns their ids, and the packs that they no longer refer to. For who holds the references alone.
 */
export const condemnRanges = async (
  db: Queryable,
  at: Instant,
  candidates?: readonly number[],
): Promise<{ ranges: string[]; packNumbers: number[] }> => {
  const ranges = await run<{ range_no: number; id: string }>(
    db,
    `UPDATE dbgov.range r SET condemned_at = $1
     WHERE r.condemned_at IS NULL AND (r.claimed_until IS NULL OR r.claimed_until <= $1)
       ${candidates === undefined ? "" : "AND r.range_no = ANY ($2::bigint[])"}
       AND NOT EXISTS (SELECT FROM dbgov.snapshot_range x WHERE x.range_no = r.range_no)
     RETURNING r.range_no, encode(r.id, 'hex') AS id`,
    candidates === undefined ? [at] : [at, candidates],
  );
  const packs = await run<{ pack_no: number }>(db, "DELETE FROM dbgov.range_pack WHERE range_no = ANY ($1::bigint[]) RETURNING pack_no", [
    ranges.map((range) => range.range_no),
  ]);
  return { ranges: ranges.map((range) => range.id).sort(), packNumbers: [...new Set(packs.map((pack) => pack.pack_no))] };
};

/** Condemns those of the candidates (all packs when undefined) that no range needs and no running capture has claimed. Returns their ids. */
export const condemnPacks = async (db: Queryable, at: Instant, candidates?: readonly number[]): Promise<string[]> => {
  const packs = await run<{ id: string }>(
    db,
    `UPDATE dbgov.pack p SET condemned_at = $1
     WHERE p.condemned_at IS NULL AND (p.claimed_until IS NULL OR p.claimed_until <= $1)
       ${candidates === undefined ? "" : "AND p.pack_no = ANY ($2::bigint[])"}
       AND NOT EXISTS (SELECT FROM dbgov.range_pack x WHERE x.pack_no = p.pack_no)
     RETURNING encode(p.id, 'hex') AS id`,
    candidates === undefined ? [at] : [at, candidates],
  );
  return packs.map((pack) => pack.id).sort();
};
