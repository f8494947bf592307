import { type Catalog, query } from "./catalog.ts";
import type { Instant, SweepRecord } from "./records.ts";

/** A sweep was done. The first record of its id stays. */
export const recordSweep = async (catalog: Catalog, sweep: Omit<SweepRecord, "at"> & { readonly at: Instant }): Promise<void> => {
  await query(
    catalog,
    `recording sweep ${sweep.id}`,
    `INSERT INTO dbgov.sweep (id, at, pass, fail, not_applicable, inconclusive, report_hash, findings)
     VALUES ($1, $2, $3, $4, $5, $6, decode($7, 'hex'), $8) ON CONFLICT DO NOTHING`,
    [
      ...[sweep.id, sweep.at, sweep.pass, sweep.fail, sweep.notApplicable, sweep.inconclusive],
      ...[sweep.reportHash, JSON.stringify(sweep.findings)],
    ],
  );
};
