import type { PostgresCheck } from "../../check.ts";
import { fail, pass } from "../../finding.ts";

/** 10 is the oid of the role that initdb creates; a cluster cannot be without it. Names of roles are kept: who acts on this needs them. */
const superusers = "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolsuper AND oid <> 10 ORDER BY rolname";

export const postgresSuperusers: PostgresCheck = {
  id: "postgres-superusers",
  appliesTo: "postgres",
  title: "Nobody is superuser beyond the role that created the PostgreSQL cluster",
  severity: "high",
  rationale: "A superuser passes by every permission, row policy and log setting; each one more is a way around all other controls.",
  remedy: "ALTER ROLE name NOSUPERUSER, and grant the predefined roles that the work needs, such as pg_read_all_data or pg_monitor.",
  permission: "nothing",
  async run(session) {
    const rows = await session.query(superusers);
    const evidence = { query: superusers, rows };
    return rows.length === 0
      ? pass("The only superuser is the role that created the cluster.", evidence)
      : fail(
          `${rows.length} more ${rows.length === 1 ? "role is" : "roles are"} superuser beyond the one that created the cluster.`,
          evidence,
        );
  },
};

const ownRights = `SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,
       pg_has_role(oid, 'pg_write_all_data', 'USAGE') AS writes_all_data
FROM pg_roles WHERE rolname = current_user`;

export const postgresBackupRole: PostgresCheck = {
  id: "postgres-backup-role",
  appliesTo: "postgres",
  title: "The role that reads backups cannot administer PostgreSQL or write all data",
  severity: "medium",
  rationale:
    "Backup credentials are kept on machines that run unattended. Whoever takes them should be able to read, not to change or to destroy.",
  remedy: "Use a role of its own for backups, with LOGIN and membership in pg_read_all_data only (and BYPASSRLS where row policies exist).",
  permission: "nothing",
  async run(session) {
    const rows = await session.query(ownRights);
    const evidence = { query: ownRights, rows };
    const row = rows[0] ?? {};
    const tooMuch = (
      [
        ["rolsuper", "is superuser"],
        ["rolcreaterole", "may create roles"],
        ["writes_all_data", "may write all data"],
      ] as const
    ).filter(([right]) => row[right] === true);
    // A superuser has every other right too; one word is enough.
    const words = tooMuch[0]?.[0] === "rolsuper" ? "is superuser" : tooMuch.map(([, text]) => text).join(" and ");
    return tooMuch.length === 0
      ? pass("The role that reads backups has no administrative rights.", evidence)
      : fail(`The role that reads backups ${words}.`, evidence);
  },
};
