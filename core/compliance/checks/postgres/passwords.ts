import type { PostgresCheck } from "../../check.ts";
import { fail, pass } from "../../finding.ts";
import { judgeSetting } from "./judge-setting.ts";

export const postgresPasswordEncryption: PostgresCheck = {
  id: "postgres-password-encryption",
  appliesTo: "postgres",
  title: "New PostgreSQL passwords are stored as SCRAM-SHA-256",
  severity: "medium",
  rationale: "MD5 password hashes can be replayed and are quickly guessed; PostgreSQL itself has deprecated them.",
  remedy: "Set password_encryption = 'scram-sha-256' and have passwords set again.",
  permission: "nothing",
  run: (session) =>
    judgeSetting(session, "password_encryption", (setting, evidence) =>
      setting === "scram-sha-256"
        ? pass("New passwords are stored as SCRAM-SHA-256.", evidence)
        : fail(`New passwords are stored as ${setting}.`, evidence),
    ),
};

const hashKinds = `SELECT count(*) FILTER (WHERE rolpassword LIKE 'SCRAM-SHA-256$%')::int AS scram,
       count(*) FILTER (WHERE rolpassword LIKE 'md5%')::int AS md5
FROM pg_authid WHERE rolpassword IS NOT NULL`;

export const postgresPasswordHashes: PostgresCheck = {
  id: "postgres-password-hashes",
  appliesTo: "postgres",
  title: "No PostgreSQL role still has an MD5 password hash",
  severity: "high",
  rationale: "The setting only concerns new passwords: a role whose password is older keeps its weak hash until it is set again.",
  remedy: "Find the roles with SELECT rolname FROM pg_authid WHERE rolpassword LIKE 'md5%', and set their passwords again.",
  permission: "SELECT on pg_authid, as superusers and members of pg_read_all_data have",
  async run(session) {
    const rows = await session.query(hashKinds);
    const evidence = { query: hashKinds, rows };
    const md5 = Number(rows[0]?.md5 ?? 0);
    return md5 === 0
      ? pass(`No role has an MD5 hash; ${rows[0]?.scram ?? 0} use SCRAM-SHA-256.`, evidence)
      : fail(`${md5} ${md5 === 1 ? "role has" : "roles have"} an MD5 password hash.`, evidence);
  },
};
