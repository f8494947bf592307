import type { PackFacts } from "../domain/retention-sparse.ts";
import { unitedBytes } from "../repository/pack-use.ts";
import { type Catalog, query } from "./catalog.ts";

/** What decides about packs that comes from elsewhere. */
export interface PackCircumstances {
  /** Live snapshots that are gone by the time by which a rewriting must have paid. */
  readonly going: readonly string[];
  /** Databases that are backed up. */
  readonly backedUp: ReadonlySet<string>;
  /** Stores that are configured: for how many days each bills what it has at least, and whether it ever deletes. */
  readonly stores: readonly { readonly name: string; readonly minimumDays: number; readonly forever: boolean }[];
}

/**
 * Numbers of live packs of which less than the share may be needed: no single range needs more. A pack that a range refers to which nobody
 * has read yet is left out, for nobody knows what that one needs.
 */
export const sparseCandidates = async (catalog: Catalog, below: number): Promise<number[]> => {
  const rows = await query<{ pack_no: number }>(
    catalog,
    "looking for packs of which little is needed",
    `SELECT p.pack_no FROM dbgov.pack p JOIN dbgov.range_pack x USING (pack_no)
     WHERE p.written_at IS NOT NULL AND p.condemned_at IS NULL
     GROUP BY p.pack_no HAVING bool_and(x.used_bytes IS NOT NULL) AND max(x.used_bytes) < $1::float8 * p.bytes ORDER BY p.pack_no`,
    [below],
  );
  return rows.map((row) => row.pack_no);
};

interface UseRow {
  readonly pack_no: number;
  readonly range: string;
  readonly bytes: number;
  readonly used: Uint8Array;
  readonly held: boolean;
  readonly stays: boolean;
  /** Databases whose newest snapshot needs it. */
  readonly newest: readonly string[];
}

/** Each reference to one of the packs, with what needs it. A range that only a running capture has claimed needs its chunks, too. */
const usesOf = (catalog: Catalog, packs: readonly number[], going: readonly string[]): Promise<UseRow[]> =>
  query(
    catalog,
    "reading what is needed of packs",
    `WITH newest AS (
       SELECT DISTINCT ON (database) snapshot_no, database FROM dbgov.live_snapshot ORDER BY database, captured_at DESC, id DESC
     ), wanted AS (
       SELECT range_no, pack_no, used FROM dbgov.range_pack WHERE pack_no = ANY ($1::bigint[])
     ), needs AS (
       SELECT y.range_no, bool_or(s.held) AS held, bool_or(g.id IS NULL) AS stays,
         array_agg(n.database) FILTER (WHERE n.database IS NOT NULL) AS newest
       FROM (SELECT DISTINCT range_no FROM wanted) w JOIN dbgov.snapshot_range y USING (range_no) JOIN dbgov.live_snapshot s USING (snapshot_no)
       LEFT JOIN (SELECT unnest($2::text[]) COLLATE "C" AS id) g ON g.id = s.id LEFT JOIN newest n ON n.snapshot_no = s.snapshot_no
       GROUP BY y.range_no
     )
     SELECT w.pack_no, encode(r.id, 'hex') AS range, r.content_bytes AS bytes, w.used, coalesce(n.held, false) AS held,
       coalesce(n.stays, false) AS stays, coalesce(n.newest, '{}') AS newest
     FROM wanted w JOIN dbgov.range r USING (range_no) LEFT JOIN needs n USING (range_no) WHERE w.used IS NOT NULL`,
    [packs, going],
  );

interface PackRow {
  readonly pack_no: number;
  readonly id: string;
  readonly bytes: number;
  readonly writtenAt: string;
  readonly retiring: boolean;
  readonly held: boolean;
  readonly lockedUntil: string | null;
  readonly billedUntil: string | null;
  readonly forever: boolean;
}

/** What is known of the packs' copies. */
const copiesOf = (catalog: Catalog, packs: readonly number[], stores: PackCircumstances["stores"]): Promise<PackRow[]> =>
  query(
    catalog,
    "reading how packs are kept",
    `WITH store AS (SELECT * FROM unnest($2::text[], $3::int[], $4::boolean[]) AS s (name, days, forever))
     SELECT p.pack_no, encode(p.id, 'hex') AS id, p.bytes, p.written_at AS "writtenAt",
       EXISTS (SELECT FROM dbgov.sparse_pack s WHERE s.pack_no = p.pack_no AND s.retiring) AS retiring,
       coalesce(k.held, false) AS held, k.until AS "lockedUntil", c.until AS "billedUntil", coalesce(c.forever, false) AS forever
     FROM dbgov.pack p
     LEFT JOIN LATERAL (
       SELECT bool_or(x.held) AS held, max(x.until) AS until FROM dbgov.protection x WHERE x.object = dbgov.pack_key(p.id)
     ) k ON true
     LEFT JOIN LATERAL (
       SELECT bool_or(store.forever) AS forever, max(r.recorded_at + store.days * interval '1 day') FILTER (WHERE store.days > 0) AS until
       FROM dbgov.replica r JOIN store ON store.name = r.store WHERE r.object = dbgov.pack_key(p.id) AND r.lost_at IS NULL
     ) c ON true
     WHERE p.pack_no = ANY ($1::bigint[])`,
    [packs, stores.map(({ name }) => name), stores.map(({ minimumDays }) => minimumDays), stores.map(({ forever }) => forever)],
  );

/** The facts that `planSparsePacks` judges packs by. Best with some hundred packs a call. */
export const packFacts = async (
  catalog: Catalog,
  packs: readonly number[],
  { going, backedUp, stores }: PackCircumstances,
): Promise<PackFacts[]> => {
  const uses = Map.groupBy(await usesOf(catalog, packs, going), (row) => row.pack_no);
  return (await copiesOf(catalog, packs, stores)).map((pack): PackFacts => {
    const its = uses.get(pack.pack_no) ?? [];
    const newest = its.filter((row) => row.newest.length > 0);
    const date = (text: string | null): Date | null => (text === null ? null : new Date(text));
    return {
      id: pack.id,
      bytes: pack.bytes,
      liveBytes: unitedBytes(its.map(({ used }) => used)),
      neededBytes: unitedBytes(newest.map(({ used }) => used)),
      ranges: newest.map(({ range, bytes }) => ({ id: range, bytes })),
      writtenAt: new Date(pack.writtenAt),
      retiring: pack.retiring,
      held: pack.held || its.some(({ held }) => held),
      stays: its.some(({ stays }) => stays),
      abandoned: newest.some((row) => row.newest.some((database) => !backedUp.has(database))),
      forever: pack.forever,
      lockedUntil: date(pack.lockedUntil),
      billedUntil: date(pack.billedUntil),
    };
  });
};
