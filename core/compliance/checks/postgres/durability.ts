import type { PostgresCheck } from "../../check.ts";
import { fail, pass } from "../../finding.ts";
import { judgeSetting } from "./judge-setting.ts";

export const postgresDataChecksums: PostgresCheck = {
  id: "postgres-data-checksums",
  appliesTo: "postgres",
  title: "PostgreSQL keeps checksums of its data pages",
  severity: "medium",
  rationale: "Without checksums a disk's silent error is read as data, and is backed up as data.",
  remedy: "Stop the server and run pg_checksums --enable, or move to a cluster that was initialized with checksums.",
  permission: "nothing",
  run: (session) =>
    judgeSetting(session, "data_checksums", (setting, evidence) =>
      setting === "on" ? pass("Data pages have checksums.", evidence) : fail("Data pages have no checksums.", evidence),
    ),
};
