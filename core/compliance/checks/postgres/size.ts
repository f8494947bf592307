import type { PostgresCheck } from "../../check.ts";
import { noSizeLimit, sizeVerdict } from "../size-verdict.ts";

/** Sizes are text in the evidence: bigints have no other exact form in JSON. */
const databaseSize = "SELECT pg_database_size(current_database())::text AS bytes";

export const postgresSize: PostgresCheck = {
  id: "postgres-size",
  appliesTo: "postgres",
  title: "The PostgreSQL database has room left in its plan",
  severity: "medium",
  rationale: "A free or small plan turns read-only, or stops, when it is full.",
  remedy: "Delete or archive what is not needed, or move to a larger plan.",
  permission: "CONNECT on the database",
  async run(session, { sizeLimitBytes }) {
    if (sizeLimitBytes === undefined) return noSizeLimit();
    const rows = await session.query(databaseSize);
    return sizeVerdict(Number(rows[0]?.bytes), sizeLimitBytes, { query: databaseSize, rows });
  },
};
