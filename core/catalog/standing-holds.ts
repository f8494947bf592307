import { type Catalog, query } from "./catalog.ts";
import type { HoldRecord } from "./records.ts";

/** Holds that were not lifted, oldest first. */
export const standingHolds = (catalog: Catalog): Promise<HoldRecord[]> =>
  query(
    catalog,
    "listing holds",
    `SELECT id, database, snapshot, reason, placed_by AS by, placed_at AS at FROM dbgov.hold WHERE lifted_at IS NULL ORDER BY placed_at, id`,
  );
