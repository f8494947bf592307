import type { PostgresCheck } from "../../check.ts";
import { fail, pass } from "../../finding.ts";

const openSchemas = `SELECT n.nspname AS schema
FROM pg_namespace n, LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS acl
WHERE acl.grantee = 0 AND acl.privilege_type = 'CREATE'
  AND n.nspname <> 'information_schema' AND left(n.nspname, 3) <> 'pg_'
ORDER BY n.nspname`;

export const postgresPublicCreate: PostgresCheck = {
  id: "postgres-public-create",
  appliesTo: "postgres",
  title: "No PostgreSQL schema lets everybody create objects in it",
  severity: "medium",
  rationale:
    "Whoever may create a function or table in a schema that others search can have it run with their rights. Clusters upgraded from before version 15 still allow it in public.",
  remedy: "REVOKE CREATE ON SCHEMA public FROM PUBLIC, likewise for the other schemas named.",
  permission: "nothing",
  async run(session) {
    const rows = await session.query(openSchemas);
    const evidence = { query: openSchemas, rows };
    return rows.length === 0
      ? pass("No schema grants CREATE to PUBLIC.", evidence)
      : fail(
          `Everybody may create objects in ${rows.length === 1 ? "schema" : "schemas"} ${rows.map(({ schema }) => schema).join(", ")}.`,
          evidence,
        );
  },
};
