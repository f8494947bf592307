import { type Catalog, query } from "./catalog.ts";
import type { Instant } from "./records.ts";

/** A copy whose lock, hold or tier in its store is not what it should be. */
export interface UnprotectedCopy {
  readonly object: string;
  readonly store: string;
  /** When the newest live snapshot that needs it was captured. */
  readonly newest: string;
  /** A legal hold names a live snapshot that needs it. */
  readonly held: boolean;
}

/** Ranges and packs of live snapshots of the database, with when the newest of these was captured and whether one is held. */
const references = `
  WITH live AS (
    SELECT snapshot_no, id, captured_at, held FROM dbgov.live_snapshot WHERE database = $1
  ), ranges AS (
    SELECT range_no, max(captured_at) AS newest, bool_or(held) AS held FROM live JOIN dbgov.snapshot_range USING (snapshot_no) GROUP BY range_no
  ), packs AS (
    SELECT pack_no, max(newest) AS newest, bool_or(held) AS held FROM ranges JOIN dbgov.range_pack USING (range_no) GROUP BY pack_no
  )`;

/** The same by their keys, and the manifests. */
const needed = `${references}, needed AS (
    SELECT dbgov.pack_key(id) AS object, newest, held FROM packs JOIN dbgov.pack USING (pack_no)
    UNION ALL SELECT dbgov.range_key(id), newest, held FROM ranges JOIN dbgov.range USING (range_no)
    UNION ALL SELECT dbgov.manifest_key(id), captured_at, held FROM live
  )`;

/** Copies in these stores that are to be locked for `age`, and are not, or not for the newest snapshot that needs them. Never envelopes. */
export const copiesToLock = (
  catalog: Catalog,
  {
    database,
    stores,
    age,
    limit,
  }: { readonly database: string; readonly stores: readonly string[]; readonly age: string; readonly limit: number },
): Promise<UnprotectedCopy[]> =>
  query(
    catalog,
    `looking for copies of ${database} that are not locked`,
    `${needed}
     SELECT n.object, r.store, n.newest, n.held FROM needed n JOIN dbgov.replica r ON r.object = n.object AND r.receipt IS NOT NULL
     LEFT JOIN dbgov.protection x ON x.object = r.object AND x.store = r.store
     WHERE r.store = ANY ($2::text[]) AND (x.covers IS NULL OR x.covers < n.newest OR x.age IS DISTINCT FROM $3)
     ORDER BY n.object, r.store LIMIT $4`,
    [database, stores, age, limit],
  );

/** Copies in these stores of what is held and has no hold there, or the other way round. Snapshots of other databases may need an object, too. */
export const copiesToHold = (catalog: Catalog, stores: readonly string[], limit: number): Promise<UnprotectedCopy[]> =>
  query(
    catalog,
    "looking for copies whose holds are to be changed",
    `WITH held AS (
       SELECT snapshot_no, id FROM dbgov.live_snapshot WHERE held
     ), ranges AS (
       SELECT DISTINCT range_no FROM held JOIN dbgov.snapshot_range USING (snapshot_no)
     ), objects AS (
       SELECT dbgov.pack_key(id) AS object FROM dbgov.pack WHERE pack_no IN (SELECT pack_no FROM dbgov.range_pack JOIN ranges USING (range_no))
       UNION ALL SELECT dbgov.range_key(id) FROM dbgov.range JOIN ranges USING (range_no)
       UNION ALL SELECT dbgov.manifest_key(id) FROM held
     )
     SELECT r.object, r.store, now() AS newest, o.object IS NOT NULL AS held FROM dbgov.replica r
     LEFT JOIN objects o ON o.object = r.object LEFT JOIN dbgov.protection x ON x.object = r.object AND x.store = r.store
     WHERE r.store = ANY ($1::text[]) AND r.receipt IS NOT NULL AND (o.object IS NOT NULL) <> coalesce(x.held, false)
     ORDER BY r.object, r.store LIMIT $2`,
    [stores, limit],
  );

/** Copies that were brought back from an archive tier are left alone until then. */
const notKept = "(x.keep_until IS NULL OR x.keep_until < now())";

/** Packs that no live snapshot captured after `$3` needs, whosever. */
const old = `young AS (
       SELECT DISTINCT pack_no FROM dbgov.live_snapshot JOIN dbgov.snapshot_range USING (snapshot_no) JOIN dbgov.range_pack USING (range_no)
       WHERE captured_at >= $3
     ), old AS (
       SELECT pack_no, dbgov.pack_key(id) AS object, newest, held, claimed_until FROM packs JOIN dbgov.pack USING (pack_no)
       WHERE newest < $3 AND NOT EXISTS (SELECT FROM young WHERE young.pack_no = packs.pack_no)
     )`;

/** Packs in these stores that no snapshot captured after `before` needs, and that are in another tier (never in one of `colder`). */
export const copiesToTier = (
  catalog: Catalog,
  wanted: {
    readonly database: string;
    readonly stores: readonly string[];
    readonly before: Instant;
    readonly tier: string;
    readonly colder: readonly string[];
    readonly limit: number;
  },
): Promise<UnprotectedCopy[]> =>
  query(
    catalog,
    `looking for packs of ${wanted.database} for another tier`,
    `${references}, ${old}
     SELECT n.object, r.store, n.newest, n.held FROM old n JOIN dbgov.replica r ON r.object = n.object AND r.receipt IS NOT NULL
     LEFT JOIN dbgov.protection x ON x.object = r.object AND x.store = r.store
     WHERE r.store = ANY ($2::text[]) AND x.tier IS DISTINCT FROM $4 AND NOT coalesce(x.tier = ANY ($5::text[]), false) AND ${notKept}
     ORDER BY n.object, r.store LIMIT $6`,
    [wanted.database, wanted.stores, wanted.before, wanted.tier, wanted.colder, wanted.limit],
  );

/**
 * Packs in these stores that no snapshot captured after `before` needs, that snapshots of `databases` alone need, that no capture relies on, and
 * of which enough copies were read back since `provenSince` in the stores of `promised` (each with its failure domain), where they can be read.
 */
export const copiesToArchive = (
  catalog: Catalog,
  wanted: {
    readonly database: string;
    readonly databases: readonly string[];
    readonly stores: readonly string[];
    readonly before: Instant;
    readonly promised: readonly { readonly name: string; readonly domain: string }[];
    readonly copies: number;
    readonly domains: number;
    readonly provenSince: Instant;
    readonly limit: number;
  },
): Promise<UnprotectedCopy[]> =>
  query(
    catalog,
    `looking for packs of ${wanted.database} to archive`,
    `${references}, ${old}
     SELECT n.object, r.store, n.newest, n.held FROM old n JOIN dbgov.replica r ON r.object = n.object AND r.receipt IS NOT NULL
     LEFT JOIN dbgov.protection x ON x.object = r.object AND x.store = r.store
     WHERE r.store = ANY ($2::text[]) AND x.tier IS DISTINCT FROM 'archive' AND ${notKept} AND coalesce(n.claimed_until < now(), true)
       AND NOT EXISTS (
         SELECT FROM dbgov.range_pack JOIN dbgov.snapshot_range USING (range_no) JOIN dbgov.snapshot s USING (snapshot_no)
         WHERE pack_no = n.pack_no AND s.removed_at IS NULL AND s.database <> ALL ($4::text[]))
       AND (
         SELECT count(*) >= $7 AND count(DISTINCT d.domain) >= $8 FROM unnest($5::text[], $6::text[]) AS d (store, domain)
         JOIN dbgov.replica o ON o.store = d.store AND o.object = n.object AND o.receipt IS NOT NULL AND o.proven_at >= $9
         WHERE NOT EXISTS (SELECT FROM dbgov.protection p WHERE p.object = o.object AND p.store = o.store AND p.tier = 'archive'))
     ORDER BY n.object, r.store LIMIT $10`,
    [
      ...[wanted.database, wanted.stores, wanted.before, wanted.databases],
      ...[wanted.promised.map(({ name }) => name), wanted.promised.map(({ domain }) => domain), wanted.copies, wanted.domains],
      ...[wanted.provenSince, wanted.limit],
    ],
  );

/** Writes down what a store was asked for; what is not named stays as it is. */
export const noteProtection = async (
  catalog: Catalog,
  { object, store }: Pick<UnprotectedCopy, "object" | "store">,
  what: {
    readonly until?: Instant;
    readonly covers?: Instant;
    readonly age?: string;
    readonly held?: boolean;
    readonly tier?: string;
    /** Of what was archived, as hex. */
    readonly md5?: string;
    readonly keepUntil?: Instant;
  },
): Promise<void> => {
  await query(
    catalog,
    `noting what ${store} was asked for ${object}`,
    `INSERT INTO dbgov.protection (object, store, until, covers, age, held, tier, md5, keep_until)
     VALUES ($1, $2, $3, $4, $5, coalesce($6, false), $7, $8, $9)
     ON CONFLICT (object, store) DO UPDATE SET until = coalesce($3, protection.until), covers = coalesce($4, protection.covers),
       age = coalesce($5, protection.age), held = coalesce($6, protection.held), tier = coalesce($7, protection.tier),
       md5 = coalesce($8, protection.md5), keep_until = coalesce($9, protection.keep_until)`,
    [
      ...[object, store, what.until ?? null, what.covers ?? null, what.age ?? null, what.held ?? null],
      ...[what.tier ?? null, what.md5 ?? null, what.keepUntil ?? null],
    ],
  );
};
