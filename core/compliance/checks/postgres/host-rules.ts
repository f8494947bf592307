import type { PostgresCheck } from "../../check.ts";
import { fail, inconclusive, pass } from "../../finding.ts";

/** Addresses and database names stay out: line and type are enough to find the rule. */
const rules = `SELECT line_number AS line, type, auth_method AS method, error IS NOT NULL AS invalid
FROM pg_hba_file_rules ORDER BY line_number`;

/** No password at all, or one that travels in the clear on a connection that need not be encrypted. */
const isOpen = (row: Record<string, unknown>): boolean =>
  row.method === "trust" || (row.method === "password" && ["host", "hostnossl"].includes(String(row.type)));

export const postgresHostRules: PostgresCheck = {
  id: "postgres-host-rules",
  appliesTo: "postgres",
  title: "No rule of pg_hba.conf lets anybody in without proof",
  severity: "critical",
  rationale: "A line with the method trust lets whoever reaches the port be any role, superusers included, without a password.",
  remedy: "Replace trust and password by scram-sha-256 (or cert) in the lines named, and reload the server.",
  permission: "EXECUTE on pg_hba_file_rules(), which superusers have",
  async run(session) {
    const rows = await session.query(rules);
    const evidence = { query: rules, rows };
    const open = rows.filter(isOpen);
    if (open.length > 0) {
      const lines = open.map(({ line, method }) => `${line} (${method})`).join(", ");
      return fail(
        `pg_hba.conf asks for no proof, or for a password in the clear, in ${open.length === 1 ? "line" : "lines"} ${lines}.`,
        evidence,
      );
    }
    if (rows.length === 0) return inconclusive("The server shows no rules of pg_hba.conf.", evidence);
    if (rows.some(({ invalid }) => invalid === true)) {
      return inconclusive("pg_hba.conf has lines that cannot be read, so the rules in force are older than the file.", evidence);
    }
    return pass(`None of the ${rows.length} rules of pg_hba.conf trusts without proof.`, evidence);
  },
};
