import { createHash } from "node:crypto";
import type { Plan, StreamPlan } from "../engine.ts";
import { majorOf } from "./findings.ts";
import type { Session } from "./session.ts";
import type { RowsSelector, RowsTarget } from "./targets.ts";

/**
 * What is kept of a table so that a later snapshot can tell which of its rows are new (`unchanged.ts`), and all that must be the same
 * for this to mean identical bytes: the digests stand for facts that are compared for equality only.
 */
export interface TableMark {
  /** Transactions from here on were running or unborn when the snapshot was taken, all before were over. 64 bits, in decimal. */
  readonly running: string;
  /** No transaction from here on is visible. */
  readonly unborn: string;
  /** Of the server: which one, since when it runs without a break, and how it prints. */
  readonly server: string;
  /** Of each table by its quoted name, the partitions where a stream has several: its file, columns and types. */
  readonly tables: Readonly<Record<string, string>>;
}

/** Gives the streams their marks: two questions to the catalog for all of them. The session sees the held snapshot, under the hold's locks. */
export const withMarks = async (session: Session, plan: Plan): Promise<Plan> => {
  const server = await serverFacts(session);
  if (server === undefined) return plan;
  const { running, unborn, ...facts } = server;
  const names = new Set(plan.streams.flatMap(tablesOf));
  const tables = new Map<string, string>();
  for (const { table, ...kept } of await session.query<TableFacts>(tablesSql, [[...names]])) tables.set(table, digestOf(kept));
  const common = { running, unborn, server: digestOf(facts) };
  const markOf = (stream: StreamPlan): TableMark | undefined => {
    const known = tablesOf(stream).flatMap((table) => (tables.has(table) ? [[table, tables.get(table)!] as const] : []));
    return known.length === 0 ? undefined : { ...common, tables: Object.fromEntries(known) };
  };
  const streams = plan.streams.map((stream) => {
    const mark = markOf(stream);
    return mark === undefined ? stream : { ...stream, mark };
  });
  return { ...plan, streams };
};

/** The tables whose blocks a stream's parts are: none where a part is not all rows of some blocks of one table. */
const tablesOf = (stream: StreamPlan): string[] => {
  const target = stream.target as RowsTarget;
  if (stream.kind !== "rows" || "largeObjects" in target || target.filter !== undefined) return [];
  return [...new Set(stream.parts.flatMap(({ selector }) => tableOf(target, selector as RowsSelector) ?? []))];
};

/** The one table that a part reads; undefined when it reads several, or none. */
export const tableOf = (target: RowsTarget, selector: RowsSelector): string | undefined => {
  if ("largeObjects" in target || "objects" in selector) return undefined;
  return selector.table ?? (target.partitioned === true ? undefined : target.table);
};

const digestOf = (facts: object): string => createHash("sha256").update(JSON.stringify(facts)).digest("base64url");

interface ServerFacts {
  readonly running: string;
  readonly unborn: string;
  readonly [fact: string]: string;
}

/** Undefined where the server does not say all of them. */
const serverFacts = async (session: Session): Promise<ServerFacts | undefined> => {
  if (majorOf(session.version) < 14) return undefined;
  // Asked first: a function that may not be called would end the transaction that sees the snapshot.
  const [allowed] = await session.query<{ control: boolean }>(allowedSql);
  if (allowed?.control !== true) return undefined;
  const [facts] = await session.query<Record<string, string | null>>(serverSql);
  return facts === undefined || Object.values(facts).includes(null) ? undefined : (facts as unknown as ServerFacts);
};

const allowedSql = `
  SELECT has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
     AND has_function_privilege('pg_catalog.pg_control_checkpoint()', 'EXECUTE') AS control`;

/**
 * `statistics` changes when the server came back from a crash without having been started anew: that can take transactions away that
 * were committed but not yet on disk, and give their numbers to others.
 */
const serverSql = `
  SELECT
    pg_snapshot_xmin(pg_current_snapshot())::text AS running,
    pg_snapshot_xmax(pg_current_snapshot())::text AS unborn,
    (SELECT system_identifier::text FROM pg_control_system()) AS system,
    (SELECT timeline_id::text FROM pg_control_checkpoint()) AS timeline,
    extract(epoch FROM pg_postmaster_start_time())::text AS started,
    (SELECT extract(epoch FROM stats_reset)::text FROM pg_stat_bgwriter) AS statistics,
    pg_is_in_recovery()::text AS recovery,
    (SELECT oid::text FROM pg_database WHERE datname = current_database()) AS database,
    (SELECT string_agg(concat_ws(' ', extname, extversion, xmin), ',' ORDER BY extname) FROM pg_extension) AS extensions,
    concat_ws(' ', current_setting('server_version_num'), current_setting('server_encoding'), current_setting('client_encoding'),
      current_setting('lc_monetary'), current_setting('DateStyle'), current_setting('IntervalStyle'), current_setting('TimeZone'),
      current_setting('extra_float_digits'), current_setting('bytea_output'), current_setting('xmloption')) AS settings`;

interface TableFacts {
  readonly table: string;
  readonly oid: string;
  readonly file: string;
  readonly columns: string;
}

/**
 * Heap tables whose columns are of built-in types, enums, types of extensions, and arrays, domains and ranges of these; not of those
 * whose text depends on catalogs (`regclass` and its like, `aclitem`, composite types) or on whoever defined the type. Nothing locks
 * an enum's labels while they are captured: their rows' own versions tell of one that was renamed, and renamed back. A missing value is
 * what rows print that are older than their column. Columns as a digest: there may be many thousand tables.
 */
const tablesSql = `
  WITH RECURSIVE
  asked AS MATERIALIZED (SELECT name, name::regclass::oid AS oid FROM unnest($1::text[]) AS name),
  columns AS MATERIALIZED (
    SELECT a.* FROM pg_attribute a JOIN asked ON a.attrelid = asked.oid WHERE a.attnum > 0
  ),
  used(root, type) AS (
    SELECT DISTINCT atttypid, atttypid FROM columns WHERE NOT attisdropped
    UNION
    SELECT root, part FROM used JOIN pg_type t ON t.oid = used.type,
      LATERAL (VALUES (nullif(t.typelem, 0)), (nullif(t.typbasetype, 0)),
        ((SELECT rngsubtype FROM pg_range WHERE rngtypid = t.oid OR rngmultitypid = t.oid))) v(part)
    WHERE part IS NOT NULL
  ),
  types AS MATERIALIZED (
    SELECT root,
      bool_and(CASE
        WHEN t.typtype IN ('e', 'd', 'r', 'm') THEN true
        WHEN t.typtype <> 'b' THEN false
        WHEN t.oid < 16384 THEN t.typname !~ '^_?reg' AND t.typname NOT IN ('aclitem', '_aclitem')
        ELSE EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
          OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
      END) AS fit,
      string_agg((SELECT string_agg(concat_ws(' ', oid, xmin, quote_literal(enumlabel)), ',' ORDER BY oid) FROM pg_enum WHERE enumtypid = t.oid),
        ';' ORDER BY t.oid) AS labels
    FROM used JOIN pg_type t ON t.oid = used.type GROUP BY root
  ),
  shapes AS (
    SELECT attrelid, bool_and(attisdropped OR fit) AS fit,
      string_agg(concat_ws(' ', attnum, quote_ident(attname), atttypid, atttypmod, attgenerated, attisdropped,
        quote_nullable(attmissingval::text), labels), ',' ORDER BY attnum) AS columns
    FROM columns LEFT JOIN types ON root = atttypid GROUP BY attrelid
  )
  SELECT asked.name AS "table", c.oid::text AS oid, pg_relation_filenode(c.oid)::text AS file,
    coalesce(encode(sha256(convert_to(shapes.columns, getdatabaseencoding())), 'hex'), '') AS columns
  FROM asked JOIN pg_class c ON c.oid = asked.oid LEFT JOIN shapes ON attrelid = c.oid
  WHERE c.relam = (SELECT oid FROM pg_am WHERE amname = 'heap') AND coalesce(fit, true) AND has_table_privilege(c.oid, 'SELECT')
    AND pg_relation_filenode(c.oid) IS NOT NULL`;
