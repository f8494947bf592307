import type { PostgresCheck } from "../../check.ts";
import { postgresSupport } from "../../support-dates.ts";
import { versionVerdict } from "../version-verdict.ts";

const versionNumber = "SELECT current_setting('server_version_num')::int AS server_version_num";

/** 180006 is 18.6, 90624 is 9.6.24. */
export const majorOf = (versionNum: number): string => {
  const first = Math.floor(versionNum / 10_000);
  return first >= 10 ? String(first) : `${first}.${Math.floor(versionNum / 100) % 100}`;
};

export const postgresVersion: PostgresCheck = {
  id: "postgres-version",
  appliesTo: "postgres",
  title: "The PostgreSQL version still gets security fixes",
  severity: "high",
  rationale: "Holes found after a version's last day stay open for good.",
  remedy: "Upgrade to a supported major version; restore the newest snapshot into it first to rehearse.",
  permission: "nothing",
  async run(session, { now }) {
    const rows = await session.query(versionNumber);
    const version = majorOf(Number(rows[0]?.server_version_num));
    return versionVerdict("PostgreSQL", version, postgresSupport, now, { query: versionNumber, rows });
  },
};
