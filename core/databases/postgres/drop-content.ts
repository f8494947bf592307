import { quoteIdentifier } from "./quoting.ts";
import type { Session } from "./session.ts";
import { userSchema } from "./tables.ts";
import { notExtension } from "./target-state.ts";

/** Objects made after the cluster was: a lower number is PostgreSQL's own. */
const firstUserOid = 16_384;

/**
 * Drops what a user has made, and leaves the database, its settings and its grants. `public` comes back as `CREATE DATABASE` makes
 * it. What hinders or outlives the dropping of schemas goes first or last: event triggers, publications, extensions, casts, languages.
 */
export const dropContent = async (session: Session): Promise<void> => {
  const drop = async (kind: string, sql: string): Promise<void> => {
    const rows = await session.query<{ name: string }>(sql);
    for (const { name } of rows) await session.query(`DROP ${kind} IF EXISTS ${quoteIdentifier(name)} CASCADE`);
  };
  const dropTerm = async (sql: string): Promise<void> => {
    for (const { term } of await session.query<{ term: string }>(sql)) await session.query(`DROP ${term}`);
  };
  await drop("EVENT TRIGGER", `SELECT evtname AS name FROM pg_event_trigger t WHERE ${notExtension("pg_event_trigger", "t.oid")}`);
  await drop("PUBLICATION", "SELECT pubname AS name FROM pg_publication");
  await dropSubscriptions(session);
  await drop("EXTENSION", "SELECT extname AS name FROM pg_extension WHERE extname <> 'plpgsql'");
  await drop("FOREIGN DATA WRAPPER", "SELECT fdwname AS name FROM pg_foreign_data_wrapper");
  await drop("SCHEMA", `SELECT nspname AS name FROM pg_namespace WHERE ${userSchema("nspname")}`);
  await dropTerm(`SELECT format('TRANSFORM FOR %s LANGUAGE %I', format_type(t.trftype, NULL), l.lanname) AS term
    FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang WHERE t.oid >= ${firstUserOid}`);
  await dropTerm(`SELECT format('CAST (%s AS %s)', format_type(castsource, NULL), format_type(casttarget, NULL)) AS term
    FROM pg_cast WHERE oid >= ${firstUserOid}`);
  await drop("LANGUAGE", `SELECT lanname AS name FROM pg_language WHERE oid >= ${firstUserOid} AND lanname <> 'plpgsql'`);
  await drop("ACCESS METHOD", `SELECT amname AS name FROM pg_am WHERE oid >= ${firstUserOid}`);
  await resetDefaultPrivileges(session);
  await session.query("SELECT lo_unlink(oid) FROM pg_largeobject_metadata");
  await createPublic(session);
};

/** Without touching the server that they subscribe to: what they have there is for whoever looks after that server. */
export const dropSubscriptions = async (session: Session): Promise<void> => {
  const subscriptions = await session.query<{ name: string }>(
    "SELECT subname AS name FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
  );
  for (const { name } of subscriptions) {
    const subscription = quoteIdentifier(name);
    await session.query(`ALTER SUBSCRIPTION ${subscription} DISABLE`);
    await session.query(`ALTER SUBSCRIPTION ${subscription} SET (slot_name = NONE)`);
    await session.query(`DROP SUBSCRIPTION ${subscription}`);
  }
};

/** Default privileges that belong to no schema outlive all schemas. One that says what is so by itself is forgotten by the server. */
const resetDefaultPrivileges = async (session: Session): Promise<void> => {
  const changed = await session.query<{ role: string; kind: string; grantee: string }>(`
    SELECT pg_get_userbyid(d.defaclrole)::text AS role,
      CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES'
        WHEN 'n' THEN 'SCHEMAS' WHEN 'L' THEN 'LARGE OBJECTS' END AS kind,
      CASE coalesce(a.grantee, 0) WHEN 0 THEN '' ELSE pg_get_userbyid(a.grantee) END AS grantee
    FROM pg_default_acl d LEFT JOIN LATERAL aclexplode(d.defaclacl) a ON true WHERE d.defaclnamespace = 0`);
  for (const { role, kind, grantee } of changed) {
    const forRole = `ALTER DEFAULT PRIVILEGES FOR ROLE ${quoteIdentifier(role)}`;
    await session.query(`${forRole} REVOKE ALL ON ${kind} FROM ${grantee === "" ? "PUBLIC" : quoteIdentifier(grantee)}`);
  }
  for (const { role, kind } of changed) {
    const forRole = `ALTER DEFAULT PRIVILEGES FOR ROLE ${quoteIdentifier(role)}`;
    await session.query(`${forRole} GRANT ALL ON ${kind} TO ${quoteIdentifier(role)}`);
    if (kind === "FUNCTIONS" || kind === "TYPES") await session.query(`${forRole} GRANT ALL ON ${kind} TO PUBLIC`);
  }
};

const createPublic = async (session: Session): Promise<void> => {
  const owned = session.version >= 150_000;
  await session.query(`CREATE SCHEMA public${owned ? " AUTHORIZATION pg_database_owner" : ""}`);
  await session.query(`GRANT ${owned ? "USAGE" : "ALL"} ON SCHEMA public TO PUBLIC`);
  await session.query("COMMENT ON SCHEMA public IS 'standard public schema'");
};
