import type { PackUse } from "../repository/pack-use.ts";
import { type Catalog, run, transaction } from "./catalog.ts";

/** What was read of a range. */
export interface RangeReferences {
  readonly number: number;
  readonly contentBytes: number;
  readonly uses: readonly PackUse[];
}

/** Writes down what ranges refer to, so that they need not be read again. Idempotent: a range never changes. */
export const noteReferences = async (catalog: Catalog, ranges: readonly RangeReferences[]): Promise<void> => {
  if (ranges.length === 0) return;
  const uses = ranges.flatMap(({ number, uses }) => uses.map((use) => ({ number, ...use })));
  await transaction(catalog, `noting what ${ranges.length} ranges refer to`, async (db) => {
    await run(
      db,
      `UPDATE dbgov.range_pack x SET used_bytes = u.bytes, used = u.used
       FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bytea[]) AS u (range_no, pack, bytes, used)
       JOIN dbgov.pack p ON p.id = decode(u.pack, 'hex')
       WHERE x.range_no = u.range_no AND x.pack_no = p.pack_no`,
      [uses.map(({ number }) => number), uses.map(({ pack }) => pack), uses.map(({ bytes }) => bytes), uses.map(({ used }) => used)],
    );
    await run(
      db,
      `UPDATE dbgov.range g SET content_bytes = u.bytes FROM unnest($1::bigint[], $2::bigint[]) AS u (range_no, bytes)
       WHERE g.range_no = u.range_no`,
      [ranges.map(({ number }) => number), ranges.map(({ contentBytes }) => contentBytes)],
    );
  });
};
