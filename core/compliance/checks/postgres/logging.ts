import type { PostgresCheck } from "../../check.ts";
import { fail, inconclusive, pass } from "../../finding.ts";
import { judgeSetting } from "./judge-setting.ts";

/** An override for a role or a database would silently undo the server's setting for it. */
const overridesOf = (
  name: string,
): string => `SELECT coalesce(d.datname, '(all)') AS database, coalesce(r.rolname, '(all)') AS role, entry AS setting
FROM pg_db_role_setting s
LEFT JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole,
LATERAL unnest(s.setconfig) AS entry
WHERE split_part(entry, '=', 1) = '${name}' ORDER BY 1, 2`;

/** Version 18 made it a list of aspects. `receipt` alone says that somebody came, not who. */
const logsWhoConnects = (setting: string): boolean =>
  setting
    .toLowerCase()
    .split(",")
    .some((aspect) => ["on", "true", "yes", "1", "all", "authentication", "authorization"].includes(aspect.trim()));

export const postgresLogConnections: PostgresCheck = {
  id: "postgres-log-connections",
  appliesTo: "postgres",
  title: "PostgreSQL logs who connects",
  severity: "medium",
  rationale: "After an incident the first question is who was connected. Without this log there is no answer.",
  remedy: "Set log_connections = on (from version 18 on: 'all', or at least 'authentication,authorization').",
  permission: "nothing",
  run: (session) =>
    judgeSetting(session, "log_connections", (setting, evidence) =>
      logsWhoConnects(setting)
        ? pass(`Connections are logged (log_connections = ${setting}).`, evidence)
        : fail(`It is not logged who connects (log_connections = ${setting === "" ? "''" : setting}).`, evidence),
    ),
};

/** A placeholder that somebody merely SET is not listed by pg_settings: a row means that the extension is loaded. */
const statementSettings = "SELECT name, setting FROM pg_settings WHERE name IN ('log_statement', 'pgaudit.log') ORDER BY name";
const statementOverrides = overridesOf("log_statement");

export const postgresLogStatements: PostgresCheck = {
  id: "postgres-log-statements",
  appliesTo: "postgres",
  title: "PostgreSQL logs changes of its schema at least",
  severity: "medium",
  rationale: "Who altered a table, a role or a permission must be traceable; that is what change management is audited by.",
  remedy: "Set log_statement = 'ddl' (or 'mod'), or load pgaudit with pgaudit.log = 'ddl, role'; remove overrides that turn it off.",
  permission: "nothing",
  async run(session) {
    const rows = await session.query(statementSettings);
    const overrides = await session.query(statementOverrides);
    const evidence = { query: statementSettings, rows, overrides: { query: statementOverrides, rows: overrides } };
    const settingOf = (name: string) => String(rows.find((row) => row.name === name)?.setting ?? "").toLowerCase();
    const audited = settingOf("pgaudit.log")
      .split(",")
      .some((part) => ["ddl", "all"].includes(part.trim()));
    if (audited) return pass("Schema changes are logged by pgaudit.", evidence);
    const logged = settingOf("log_statement");
    if (logged === "") return inconclusive("The server does not show its setting log_statement.", evidence);
    if (!["ddl", "mod", "all"].includes(logged)) return fail(`Schema changes are not logged (log_statement = ${logged}).`, evidence);
    const undone = overrides.filter(({ setting }) => String(setting).toLowerCase() === "log_statement=none");
    return undone.length === 0
      ? pass(`Statements are logged (log_statement = ${logged}).`, evidence)
      : fail(
          `Statements are logged, but ${undone.length} ${undone.length === 1 ? "override turns" : "overrides turn"} that off for a role or a database.`,
          evidence,
        );
  },
};
