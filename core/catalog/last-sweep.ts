import { type Catalog, query } from "./catalog.ts";
import type { SweepRecord } from "./records.ts";

export const lastSweep = async (catalog: Catalog): Promise<SweepRecord | undefined> => {
  const [sweep] = await query<SweepRecord>(
    catalog,
    "reading the last sweep",
    `SELECT id, at, pass, fail, not_applicable AS "notApplicable", inconclusive, encode(report_hash, 'hex') AS "reportHash", findings
     FROM dbgov.sweep ORDER BY at DESC LIMIT 1`,
  );
  return sweep;
};
