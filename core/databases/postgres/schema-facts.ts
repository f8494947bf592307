import type { Session } from "./session.ts";
import { unreadable, userSchema } from "./tables.ts";
import { progressSchemaPattern, type SchemaRoles } from "./targets.ts";

const names = async (session: Session, sql: string): Promise<string[]> => {
  const rows = await session.query<{ name: string }>(sql);
  return rows.map((row) => row.name);
};

/** The bootstrap superuser (10) is pinned, so pg_shdepend does not record what it owns. */
export const ownedByBootstrap = `
  SELECT pg_get_userbyid(10) AS name WHERE
    EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relowner = 10 AND ${userSchema("n.nspname")})
    OR EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proowner = 10 AND ${userSchema("n.nspname")})
    OR EXISTS (SELECT FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typowner = 10 AND ${userSchema("n.nspname")})
    OR EXISTS (SELECT FROM pg_namespace n WHERE n.nspowner = 10 AND ${userSchema("n.nspname")})`;

const dependentRoles = (kind: "o" | "a" | "r"): string => `
  SELECT DISTINCT r.rolname::text AS name FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid
  WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND s.refclassid = 'pg_authid'::regclass AND s.deptype = '${kind}'
    AND r.rolname !~ '^pg_'`;

export const schemaRoles = async (session: Session): Promise<SchemaRoles> => ({
  owners: await names(session, `${dependentRoles("o")} UNION ${ownedByBootstrap} ORDER BY 1`),
  grantees: await names(session, `${dependentRoles("a")} ORDER BY 1`),
  policies: await names(session, `${dependentRoles("r")} ORDER BY 1`),
});

export const schemaTablespaces = (session: Session): Promise<string[]> =>
  names(
    session,
    `SELECT DISTINCT t.spcname::text AS name FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace
     JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${userSchema("n.nspname")} ORDER BY 1`,
  );

/** pg_dump leaves out what only superusers may read. */
export const schemaSubscriptions = (session: Session): Promise<string[]> =>
  names(
    session,
    `SELECT subname::text AS name FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND current_setting('is_superuser')::boolean ORDER BY 1`,
  );

export const schemaLabelProviders = (session: Session): Promise<string[]> =>
  names(session, "SELECT DISTINCT provider AS name FROM pg_seclabel ORDER BY 1");

/** What of the database itself a snapshot does not hold, in sentences for the manifest. */
export const leftOut = async (session: Session): Promise<string[]> => {
  const [facts] = await session.query<{ unfinished: boolean; foreign: number; unlogged: number; subscriptions: number }>(`
    SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname ~ '^${progressSchemaPattern}$') AS unfinished,
      (SELECT count(*)::int FROM pg_foreign_table) AS foreign,
      (SELECT count(*)::int FROM pg_class WHERE relkind IN ('r', 'S') AND ${unreadable("relpersistence")}) AS unlogged,
      (SELECT count(*)::int FROM pg_subscription WHERE NOT current_setting('is_superuser')::boolean
        AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())) AS subscriptions`);
  const notes: string[] = [];
  // A half-restored database looks like any other: whoever relies on its snapshot must know.
  if (facts!.unfinished) notes.push("A restore into this database is not finished: what it should hold may be missing.");
  if (facts!.foreign > 0) notes.push(`${facts!.foreign} foreign tables are captured by their definition; their rows are elsewhere.`);
  if (facts!.unlogged > 0)
    notes.push(`${facts!.unlogged} unlogged tables and sequences are captured by their definition; a standby does not have their content.`);
  if (facts!.subscriptions > 0)
    notes.push(`${facts!.subscriptions} subscriptions are not part of the snapshot: only a superuser can read them.`);
  return notes;
};
