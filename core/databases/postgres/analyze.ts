import { quoteQualified } from "./quoting.ts";
import type { Session } from "./session.ts";
import { userSchema } from "./tables.ts";

const perStatement = 100;

/**
 * What statistics are gathered of: everything with rows of its own, and partitioned or inherited tables as wholes, but nothing that
 * reaches a foreign table, since its server may be away, and would be read in full. A parent covers its children.
 */
const localSql = `
  WITH RECURSIVE below(root, relation) AS (
    SELECT inhparent, inhrelid FROM pg_inherits
    UNION
    SELECT below.root, i.inhrelid FROM below JOIN pg_inherits i ON i.inhparent = below.relation
  ), foreign_below AS (
    SELECT DISTINCT below.root FROM below JOIN pg_class c ON c.oid = below.relation WHERE c.relkind = 'f'
  ), usable AS (
    SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' AND ${userSchema("n.nspname")}
      AND c.oid NOT IN (SELECT root FROM foreign_below)
  )
  SELECT nspname AS schema, relname AS name FROM usable
  WHERE NOT EXISTS (SELECT FROM below JOIN usable above ON above.oid = below.root WHERE below.relation = usable.oid)
  ORDER BY 1, 2`;

/** ANALYZE of these tables, quoted, or of all that can be read without asking another server; without those that are `done`. */
export const analyze = async (
  session: Session,
  tables: readonly string[] | undefined,
  done: ReadonlySet<string> = new Set(),
): Promise<void> => {
  const all = async (): Promise<string[]> =>
    (await session.query<{ schema: string; name: string }>(localSql)).map(({ schema, name }) => quoteQualified(schema, name));
  const names = (tables ?? (await all())).filter((name) => !done.has(name));
  for (let first = 0; first < names.length; first += perStatement)
    await session.query(`ANALYZE ${names.slice(first, first + perStatement).join(", ")}`);
};
