import { type Catalog, query } from "./catalog.ts";
import type { HoldRecord } from "./records.ts";

/** Holds that were not lifted and whose end has not come, oldest first. */
export const standingHolds = (catalog: Catalog): Promise<HoldRecord[]> =>
  query(
    catalog,
    "listing holds",
    `SELECT id, database, snapshot, reason, placed_by AS by, placed_at AS at, until FROM dbgov.hold
     WHERE lifted_at IS NULL AND (until IS NULL OR until > now()) ORDER BY placed_at, id`,
  );
