import { inconclusive, type Json, type Verdict } from "../../finding.ts";
import type { PostgresSession } from "../../sessions/postgres-session.ts";

/** Reads one setting as this session has it, and judges it. One that the server does not show is nobody's pass. */
export const judgeSetting = async (
  session: PostgresSession,
  name: string,
  judge: (value: string, evidence: Json) => Verdict,
): Promise<Verdict> => {
  const query = `SELECT setting FROM pg_settings WHERE name = '${name}'`;
  const rows = await session.query(query);
  const evidence = { query, rows };
  const value = rows[0]?.setting;
  return typeof value === "string" ? judge(value, evidence) : inconclusive(`The server does not show its setting ${name}.`, evidence);
};
