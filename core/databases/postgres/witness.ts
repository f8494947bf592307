import { Failure, isFailure } from "../../domain/failure.ts";
import type { PartPlan, StreamPlan, Witness } from "../engine.ts";
import { majorOf } from "./findings.ts";
import type { Session } from "./session.ts";
import type { RowsSelector, RowsTarget } from "./targets.ts";

/**
 * How the server can say, without reading a value, that a part's rows are what they were. A committed row version never
 * changes: where the same versions, told by place (`ctid`) and creating transaction (`xmin`), are visible in the same
 * blocks, COPY gives the same bytes. This holds only as long as nothing else can change what COPY prints, nor what a
 * place and a transaction number mean; `conditions` lists all of that. Rows are not hashed by value: equal is not
 * identical (1.0 and 1.00, -0 and 0, the case of a citext).
 */
interface PostgresWitness {
  readonly conditions: Readonly<Record<string, string | null>>;
  /** The oldest transaction that was still open, as a 64-bit number in decimal. */
  readonly transaction: string;
  readonly rows: string;
  /** Two folds of all (ctid, xmin), under two seeds. */
  readonly folds: readonly [string, string];
}

/** Transaction numbers wrap after 2^32; within half of that a number cannot have come to mean another transaction. */
const farthest = 2n ** 31n;

/** Takes the witness of a part, as `session` sees it; undefined where the server cannot tell. `seed` keeps the folds unpredictable. */
export const takeWitness = async (session: Session, stream: StreamPlan, part: PartPlan, seed: bigint): Promise<Witness | undefined> => {
  try {
    return await witnessOf(session, stream, part, seed);
  } catch (error) {
    if (!isFailure(error)) throw error;
    throw new Failure(error.type, `${error.message}, while looking whether ${stream.name} has changed`, { cause: error });
  }
};

const witnessOf = async (session: Session, stream: StreamPlan, part: PartPlan, seed: bigint): Promise<Witness | undefined> => {
  const target = stream.target as RowsTarget;
  const selector = part.selector as RowsSelector;
  // hash_record_extended and TID range scans came in PostgreSQL 14.
  if (stream.kind !== "rows" || "largeObjects" in target || "objects" in selector || majorOf(session.version) < 14) return undefined;
  if (target.filter !== undefined || (target.partitioned === true && selector.table === undefined)) return undefined;
  const table = selector.table ?? target.table;
  // Asked first: a function that may not be called would end the transaction that sees the snapshot.
  const [allowed] = await session.query<{ control: boolean }>(allowedSql);
  if (allowed?.control !== true) return undefined;
  const [facts] = await session.query<Facts>(factsSql, [table]);
  if (facts === undefined || !facts.eligible || facts.filenode === null || facts.system === null) return undefined;
  const { transaction, eligible: _eligible, ...conditions } = facts;
  const where =
    "whole" in selector
      ? ""
      : `WHERE ctid >= '(${selector.from},0)'::tid${selector.to === undefined ? "" : ` AND ctid < '(${selector.to},0)'::tid`}`;
  const fold = (by: bigint): string => `coalesce(bit_xor(hash_record_extended(ROW(ctid, xmin), ${BigInt.asIntN(64, by)})), 0)::text`;
  const [folded] = await session.query<{ rows: string; a: string; b: string }>(
    `SELECT count(*)::text AS rows, ${fold(seed)} AS a, ${fold(seed ^ 0x5bd1e995n)} AS b FROM ONLY ${table} ${where}`,
  );
  if (folded === undefined) return undefined;
  return { conditions, transaction, rows: folded.rows, folds: [folded.a, folded.b] } satisfies PostgresWitness;
};

/** Whether two witnesses of one part mean identical bytes. */
export const sameContent = (before: Witness, now: Witness): boolean => {
  const [a, b] = [before as PostgresWitness, now as PostgresWitness];
  const names = new Set([...Object.keys(a.conditions), ...Object.keys(b.conditions)]);
  if ([...names].some((name) => a.conditions[name] === undefined || a.conditions[name] !== b.conditions[name])) return false;
  const apart = BigInt(b.transaction) - BigInt(a.transaction);
  if (apart < 0n || apart >= farthest) return false;
  return a.rows === b.rows && a.folds[0] === b.folds[0] && a.folds[1] === b.folds[1];
};

interface Facts {
  readonly eligible: boolean;
  readonly transaction: string;
  readonly system: string | null;
  readonly timeline: string | null;
  readonly started: string;
  readonly statistics: string | null;
  readonly recovery: string;
  readonly oid: string;
  readonly filenode: string | null;
  readonly columns: string;
  readonly labels: string;
  readonly extensions: string;
  readonly settings: string;
}

const allowedSql = `
  SELECT has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
     AND has_function_privilege('pg_catalog.pg_control_checkpoint()', 'EXECUTE') AS control`;

/**
 * Everything that must be the same for row versions to mean the same bytes. `statistics` changes when the server came back
 * from a crash, which can take transactions away that were committed but not yet on disk, and use their numbers again.
 * Eligible are tables whose columns are of built-in types, enums, types of extensions, and arrays, domains and ranges of
 * these; not of those whose text depends on catalogs (`regclass` and its like, `aclitem`).
 */
const factsSql = `
  WITH RECURSIVE used(type) AS (
    SELECT atttypid FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped
    UNION
    SELECT inner_type FROM used JOIN pg_type t ON t.oid = used.type,
      LATERAL (VALUES (nullif(t.typelem, 0)), (nullif(t.typbasetype, 0)),
        ((SELECT rngsubtype FROM pg_range WHERE rngtypid = t.oid OR rngmultitypid = t.oid))) v(inner_type)
    WHERE inner_type IS NOT NULL
  )
  SELECT
    (SELECT coalesce(bool_and(
        (t.oid < 16384 OR t.typtype IN ('e', 'd', 'r', 'm') OR t.typcategory = 'A'
          OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'))
        AND t.typtype NOT IN ('c', 'p') AND t.typname !~ '^_?reg' AND t.typname NOT IN ('aclitem', '_aclitem')), true)
      FROM used JOIN pg_type t ON t.oid = used.type) AS eligible,
    pg_snapshot_xmin(pg_current_snapshot())::text AS transaction,
    (SELECT system_identifier::text FROM pg_control_system()) AS system,
    (SELECT timeline_id::text FROM pg_control_checkpoint()) AS timeline,
    extract(epoch FROM pg_postmaster_start_time())::text AS started,
    (SELECT extract(epoch FROM stats_reset)::text FROM pg_stat_bgwriter) AS statistics,
    pg_is_in_recovery()::text AS recovery,
    $1::regclass::oid::text AS oid,
    pg_relation_filenode($1::regclass)::text AS filenode,
    (SELECT md5(coalesce(string_agg(concat_ws(' ', attnum, quote_ident(attname), atttypid, atttypmod, attgenerated, attisdropped,
        quote_nullable(attmissingval::text)), ',' ORDER BY attnum), ''))
      FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0) AS columns,
    (SELECT md5(coalesce(string_agg(concat_ws(' ', oid, quote_literal(enumlabel)), ',' ORDER BY oid), '')) FROM pg_enum) AS labels,
    (SELECT md5(string_agg(concat_ws(' ', extname, extversion), ',' ORDER BY extname)) FROM pg_extension) AS extensions,
    md5(concat_ws(' ', current_setting('server_version_num'), current_setting('server_encoding'), current_setting('client_encoding'),
      current_setting('lc_monetary'), current_setting('DateStyle'), current_setting('IntervalStyle'), current_setting('TimeZone'),
      current_setting('extra_float_digits'), current_setting('bytea_output'))) AS settings`;
