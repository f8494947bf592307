import { type Catalog, query } from "./catalog.ts";
import type { DrillRecord, Instant } from "./records.ts";

/** A drill was done; identified by its snapshot and time. The first record stays. */
export const recordDrill = async (catalog: Catalog, drill: Omit<DrillRecord, "at"> & { readonly at: Instant }): Promise<void> => {
  await query(
    catalog,
    `recording the drill of ${drill.snapshot}`,
    `INSERT INTO dbgov.drill (snapshot, at, database, identical, seconds, rows, bytes, differences)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
    [
      ...[drill.snapshot, drill.at, drill.database, drill.identical, drill.seconds],
      ...[drill.rows, drill.bytes, JSON.stringify(drill.differences)],
    ],
  );
};
