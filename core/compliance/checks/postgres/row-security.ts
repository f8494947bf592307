import type { PostgresCheck } from "../../check.ts";
import { fail, notApplicable, pass } from "../../finding.ts";

const exampleTables = 5;
const tablesOf = (rows: readonly Record<string, unknown>[]): string => {
  const names = rows.slice(0, exampleTables).map((row) => `${row.schema}.${row.table}`);
  return rows.length > exampleTables ? `${names.join(", ")} and ${rows.length - exampleTables} more` : names.join(", ");
};

const apiRoles = "SELECT count(*)::int AS roles FROM pg_roles WHERE rolname IN ('anon', 'authenticated')";

/** Tables of extensions are left out: who installed the extension cannot alter them. */
const exposedTables = `SELECT n.nspname AS schema, c.relname AS table
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname`;

export const postgresExposedTables: PostgresCheck = {
  id: "postgres-exposed-tables",
  appliesTo: "postgres",
  title: "Every table that a web API exposes has row-level security on",
  severity: "critical",
  rationale:
    "Supabase and PostgREST serve the schema public to the roles anon and authenticated: a table without row-level security is open to anybody who has the page's public key.",
  remedy: "ALTER TABLE … ENABLE ROW LEVEL SECURITY for each table named, and write policies for what each role may see.",
  permission: "nothing",
  async run(session) {
    const roles = await session.query(apiRoles);
    if (roles[0]?.roles !== 2) {
      return notApplicable("No web API serves this database: the roles anon and authenticated do not exist.", {
        query: apiRoles,
        rows: roles,
      });
    }
    const rows = await session.query(exposedTables);
    const evidence = { query: exposedTables, rows };
    return rows.length === 0
      ? pass("Every table in the exposed schema has row-level security on.", evidence)
      : fail(
          `${rows.length} exposed ${rows.length === 1 ? "table has" : "tables have"} no row-level security: ${tablesOf(rows)}.`,
          evidence,
        );
  },
};

const policies = `SELECT n.nspname AS schema, c.relname AS table, c.relrowsecurity AS enabled
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
ORDER BY n.nspname, c.relname`;

export const postgresRowPoliciesActive: PostgresCheck = {
  id: "postgres-row-policies-active",
  appliesTo: "postgres",
  title: "Row policies that were written are in force",
  severity: "high",
  rationale:
    "A policy on a table whose row-level security is off does nothing: somebody believes that rows are protected, and they are not.",
  remedy: "ALTER TABLE … ENABLE ROW LEVEL SECURITY for each table named, or drop the policies.",
  permission: "nothing",
  async run(session) {
    const rows = await session.query(policies);
    const evidence = { query: policies, rows };
    if (rows.length === 0) return notApplicable("No table has row policies.", evidence);
    const idle = rows.filter(({ enabled }) => enabled !== true);
    return idle.length === 0
      ? pass(`The row policies of ${rows.length} ${rows.length === 1 ? "table are" : "tables are"} in force.`, evidence)
      : fail(`Row policies exist but are not in force on ${tablesOf(idle)}.`, evidence);
  },
};

const securedTables = `SELECT n.nspname AS schema, c.relname AS table, c.relforcerowsecurity AS forced
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relrowsecurity AND c.relkind IN ('r', 'p')
ORDER BY n.nspname, c.relname`;

export const postgresRowSecurityForced: PostgresCheck = {
  id: "postgres-row-security-forced",
  appliesTo: "postgres",
  title: "Row-level security binds the owners of tables too",
  severity: "low",
  rationale: "Row policies pass by the table's owner unless they are forced; applications often connect as the owner.",
  remedy: "ALTER TABLE … FORCE ROW LEVEL SECURITY for each table named, or connect applications as a role that owns nothing.",
  permission: "nothing",
  async run(session) {
    const rows = await session.query(securedTables);
    const evidence = { query: securedTables, rows };
    if (rows.length === 0) return notApplicable("No table has row-level security on.", evidence);
    const unforced = rows.filter(({ forced }) => forced !== true);
    return unforced.length === 0
      ? pass(`Row-level security is forced on all ${rows.length} tables that have it.`, evidence)
      : fail(`Owners pass by the row policies of ${tablesOf(unforced)}.`, evidence);
  },
};
