import { type Catalog, type Queryable, query, run } from "./catalog.ts";
import { isArchived } from "./is-archived.ts";

/** What lies in a store, as far as packs, ranges, manifests and envelopes go; what is about to be put there counts. */
export interface StoreUsage {
  readonly store: string;
  readonly bytes: number;
  readonly objects: number;
}

const usageOf = `SELECT store, sum(bytes)::bigint AS bytes, count(*) AS objects FROM dbgov.replica`;

/** Of every store that has anything, configured or not. */
export const storeUsage = (catalog: Catalog): Promise<StoreUsage[]> =>
  query(catalog, "adding up what stores hold", `${usageOf} GROUP BY store ORDER BY store`);

/** The same for some, inside a transaction. */
export const storeUsageIn = (db: Queryable, stores: readonly string[]): Promise<StoreUsage[]> =>
  run(db, `${usageOf} WHERE store = ANY ($1::text[]) GROUP BY store`, [stores]);

export interface ProvenPacks {
  readonly store: string;
  readonly packs: number;
  /** Those that were ever read back and found right, and can be read; the oldest of these proofs. */
  readonly proven: number;
  readonly oldest: string | null;
  /** Those that lie where nothing can be read; of these, the ones that were looked at and there, and when that was longest ago. */
  readonly archived: number;
  readonly present: number;
  readonly oldestPresent: string | null;
}

/** Of every store that has packs. */
export const provenPacks = (catalog: Catalog): Promise<ProvenPacks[]> =>
  query(
    catalog,
    "counting the packs of stores",
    `SELECT store, count(*) AS packs, count(proven_at) FILTER (WHERE NOT archived) AS proven, min(proven_at) FILTER (WHERE NOT archived) AS oldest,
       count(*) FILTER (WHERE archived) AS archived, count(present_at) FILTER (WHERE archived) AS present,
       min(present_at) FILTER (WHERE archived) AS "oldestPresent"
     FROM (SELECT *, ${isArchived("replica")} AS archived FROM dbgov.replica) r
     WHERE object LIKE 'packs/%' AND receipt IS NOT NULL GROUP BY store ORDER BY store`,
  );

/** How many bytes of its live packs each database has, and has in each store. What two databases share counts for both. */
export const databaseUsage = async (
  catalog: Catalog,
): Promise<{ database: string; store: string | null; bytes: number; packs: number }[]> =>
  await query(
    catalog,
    "adding up what databases keep",
    `WITH needed AS (
       SELECT DISTINCT s.database, rp.pack_no FROM dbgov.snapshot s JOIN dbgov.snapshot_range USING (snapshot_no)
       JOIN dbgov.range_pack rp USING (range_no) WHERE s.removed_at IS NULL
     )
     SELECT n.database, r.store, sum(p.bytes)::bigint AS bytes, count(*) AS packs
     FROM needed n JOIN dbgov.pack p USING (pack_no) LEFT JOIN dbgov.replica r ON r.object = dbgov.pack_key(p.id) AND r.receipt IS NOT NULL
     GROUP BY n.database, r.store ORDER BY 1, 2`,
  );

/**
 * What snapshots of each database have added a day on average, over so many days up to now at most: `perDay` as it is stored, `newPerDay` as it is
 * in the database. The first snapshot does not count: what it has is what is added to.
 */
export const databaseGrowth = (
  catalog: Catalog,
  days: number,
  now: Date,
): Promise<{ database: string; perDay: number; newPerDay: number }[]> =>
  query(
    catalog,
    "measuring how databases grow",
    `WITH first AS (SELECT database, min(captured_at) AS at FROM dbgov.snapshot GROUP BY database), recent AS (
       SELECT s.database, sum(s.bytes_stored) FILTER (WHERE s.captured_at > f.at) AS stored, sum(s.bytes_new) FILTER (WHERE s.captured_at > f.at) AS new,
         greatest(1, extract(epoch FROM $2::timestamptz - min(s.captured_at)) / 86400) AS days
       FROM dbgov.snapshot s JOIN first f USING (database)
       WHERE s.captured_at > $2::timestamptz - make_interval(days => $1) GROUP BY s.database
     )
     SELECT database, (coalesce(stored, 0) / days)::float8 AS "perDay", (coalesce(new, 0) / days)::float8 AS "newPerDay" FROM recent ORDER BY 1`,
    [days, now],
  );
