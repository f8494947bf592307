import { type Catalog, query } from "./catalog.ts";
import type { DrillRecord } from "./records.ts";

/** The latest drill of a database, whatever came of it. */
export const lastDrill = async (catalog: Catalog, database: string): Promise<DrillRecord | undefined> => {
  const [drill] = await query<DrillRecord>(
    catalog,
    `reading the last drill of ${database}`,
    `SELECT snapshot, database, identical, seconds, rows, bytes, at, differences FROM dbgov.drill
     WHERE database = $1 ORDER BY at DESC LIMIT 1`,
    [database],
  );
  return drill;
};
