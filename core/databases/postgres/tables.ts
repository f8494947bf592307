import { quoteIdentifier, quoteQualified, readableName } from "./quoting.ts";
import type { Session } from "./session.ts";
import { progressSchemaPattern } from "./targets.ts";

/** One table whose rows are captured: ordinary ones and partitions; not views, foreign and temporary tables, nor what extensions bring. */
export interface Table {
  readonly name: string;
  /** `"public"."orders"` */
  readonly quoted: string;
  /** Quoted, without generated columns. May be empty: a table can have rows without columns. */
  readonly columns: readonly string[];
  /** Of an extension's configuration table: which rows are the user's. */
  readonly filter: string | undefined;
  /** Rows of heap tables have a ctid by which they can be told apart. */
  readonly heap: boolean;
  readonly blocks: number;
  readonly blockBytes: number;
  /** Quoted, when rows cannot be put back by partition: the hash of an enum differs from database to database. */
  readonly root: { readonly name: string; readonly quoted: string } | undefined;
  /** Heap and TOAST, as on disk. */
  readonly bytes: number;
}

/** System schemas hold nothing of the user's; pg_dump leaves out the same. */
export const userSchema = (column: string): string => `(${column} !~ '^pg_' AND ${column} <> 'information_schema')`;

/** A standby has no content of unlogged relations; pg_dump leaves it out there, too. */
export const unreadable = (persistence: string): string => `(${persistence} = 'u' AND pg_is_in_recovery())`;

/** Tables as the session's snapshot sees them, by name. `c` and `n` can be filtered on. */
const tablesFrom = (join: string): string => `
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'
  LEFT JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
  ${join}
  WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND NOT ${unreadable("c.relpersistence")} AND ${userSchema("n.nspname")}
    AND n.nspname !~ '^${progressSchemaPattern}$' AND (d.objid IS NULL OR c.oid = ANY (e.extconfig))`;

interface TableRow {
  readonly schema: string;
  readonly table: string;
  readonly columns: string[];
  readonly filter: string | null;
  readonly heap: boolean;
  readonly heapBytes: string;
  readonly toastBytes: string;
  readonly rootSchema: string | null;
  readonly rootTable: string | null;
  readonly blockBytes: number;
}

/** The topmost table of those whose partitions are told apart by a hash of an enum; pg_dump loads these by their root, too. */
const enumHashRoot = `
  LEFT JOIN LATERAL (
    SELECT rn.nspname, rc.relname FROM pg_class rc JOIN pg_namespace rn ON rn.oid = rc.relnamespace
    WHERE c.relispartition AND rc.oid = pg_partition_root(c.oid) AND EXISTS (
      SELECT FROM pg_partition_ancestors(c.oid) AS ancestor JOIN pg_partitioned_table pt ON pt.partrelid = ancestor
      JOIN pg_attribute pa ON pa.attrelid = pt.partrelid AND pa.attnum = ANY (pt.partattrs) JOIN pg_type ty ON ty.oid = pa.atttypid
      WHERE pt.partstrat = 'h' AND ty.typtype = 'e')
  ) root ON true`;

const tablesSql = `
  SELECT n.nspname AS schema, c.relname AS "table",
    ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
          ORDER BY a.attnum) AS columns,
    nullif(e.extcondition[array_position(e.extconfig, c.oid)], '') AS filter,
    coalesce((SELECT am.amname = 'heap' FROM pg_am am WHERE am.oid = c.relam), false) AS heap,
    coalesce(pg_relation_size(c.oid), 0) AS "heapBytes",
    CASE WHEN c.reltoastrelid = 0 THEN 0 ELSE coalesce(pg_relation_size(c.reltoastrelid), 0) END AS "toastBytes",
    current_setting('block_size')::int AS "blockBytes",
    root.nspname AS "rootSchema", root.relname AS "rootTable"
  ${tablesFrom(enumHashRoot)}
  ORDER BY n.nspname, c.relname`;

export const listTables = async (session: Session): Promise<Table[]> => {
  const rows = await session.query<TableRow>(tablesSql);
  return rows.map((row) => ({
    name: readableName(row.schema, row.table),
    quoted: quoteQualified(row.schema, row.table),
    columns: row.columns.map(quoteIdentifier),
    filter: row.filter ?? undefined,
    heap: row.heap,
    blocks: Math.ceil(Number(row.heapBytes) / row.blockBytes),
    blockBytes: row.blockBytes,
    root:
      row.rootSchema === null || row.rootTable === null
        ? undefined
        : { name: readableName(row.rootSchema, row.rootTable), quoted: quoteQualified(row.rootSchema, row.rootTable) },
    bytes: Number(row.heapBytes) + Number(row.toastBytes),
  }));
};

/** Quoted names alone, which ask nothing of the tables themselves. */
export const listTableNames = async (session: Session): Promise<string[]> => {
  const rows = await session.query<{ schema: string; table: string }>(
    `SELECT n.nspname AS schema, c.relname AS "table" ${tablesFrom("")} ORDER BY n.nspname, c.relname`,
  );
  return rows.map((row) => quoteQualified(row.schema, row.table));
};
