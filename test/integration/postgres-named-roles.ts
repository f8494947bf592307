import { type Server, uniqueName } from "./postgres-support.ts";

/** Every role of these tests is called so; names go into SQL within double quotes. */
export const prefix = uniqueName("roles");
const role = (name: string): string => `"${prefix} ${name.replaceAll('"', '""')}"`;
export const readable = (name: string): string => `${prefix} ${name}`;
export const [owner, group, admin, login, guarded] = [
  role('own "er" é'),
  role("group, all"),
  role("admin"),
  role("log\\in"),
  role("guarded"),
] as const;

export const createRoles = `
  CREATE ROLE ${owner} CREATEDB NOINHERIT;
  CREATE ROLE ${group} NOLOGIN; COMMENT ON ROLE ${group} IS 'it''s \\ a group';
  CREATE ROLE ${admin} CREATEROLE REPLICATION BYPASSRLS LOGIN PASSWORD 'of the admin';
  CREATE ROLE ${login} LOGIN CONNECTION LIMIT 7 PASSWORD 'of whoever logs in' VALID UNTIL '2031-02-03 04:05:06+00';
  CREATE ROLE ${guarded} SUPERUSER;
  ALTER ROLE ${login} SET search_path = "A b", 'it''s'; ALTER ROLE ${login} SET "my.own" = 'x, "y"'; ALTER ROLE ${login} SET work_mem = '5MB';
  GRANT pg_monitor TO ${login};
  GRANT ${group} TO ${admin} WITH ADMIN TRUE, INHERIT FALSE;
  SET ROLE ${admin}; GRANT ${group} TO ${login} WITH SET FALSE; RESET ROLE`;

export const createContent = (database: string): string => `
  CREATE SCHEMA app AUTHORIZATION ${owner}; CREATE TABLE app.t (id int PRIMARY KEY, note text); ALTER TABLE app.t OWNER TO ${owner};
  INSERT INTO app.t VALUES (1, 'one'), (2, 'two'); GRANT USAGE ON SCHEMA app TO ${group}; GRANT SELECT ON app.t TO ${group};
  ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA app GRANT SELECT ON TABLES TO ${guarded};
  ALTER DATABASE ${database} OWNER TO ${owner}; REVOKE ALL ON DATABASE ${database} FROM PUBLIC; GRANT CONNECT ON DATABASE ${database} TO ${group} WITH GRANT OPTION;
  SET ROLE ${group}; GRANT CONNECT ON DATABASE ${database} TO ${guarded}; RESET ROLE;
  ALTER DATABASE ${database} CONNECTION LIMIT 33; ALTER DATABASE ${database} SET work_mem = '9MB'; ALTER ROLE ${login} IN DATABASE ${database} SET work_mem = '6MB'`;

export const createPolicy = `ALTER TABLE app.t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON app.t TO ${group} USING (id = 1); COMMENT ON POLICY p ON app.t IS 'one only'`;

export const nameOf = (url: string): string => decodeURIComponent(new URL(url).pathname.slice(1));

/** All of them, with what one has granted to another. */
export const dropRoles = async (at: Server): Promise<void> => {
  const rows = await at.sql<{ name: string }>(at.url, `SELECT quote_ident(rolname) AS name FROM pg_roles WHERE rolname LIKE '${prefix}%'`);
  for (const { name } of rows) await at.sql(at.url, `DROP OWNED BY ${name} CASCADE`);
  const granted = await at.sql<{ revoke: string }>(
    at.url,
    `SELECT format('REVOKE %I FROM %I GRANTED BY %I CASCADE', g.rolname, m.rolname, b.rolname) AS revoke
     FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member JOIN pg_roles b ON b.oid = a.grantor
     WHERE g.rolname LIKE '${prefix}%' OR m.rolname LIKE '${prefix}%'`,
  );
  for (const { revoke } of granted) await at.sql(at.url, revoke);
  for (const { name } of rows) await at.sql(at.url, `DROP ROLE ${name}`);
};
