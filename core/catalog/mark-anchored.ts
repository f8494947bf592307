import { type Catalog, query } from "./catalog.ts";
import type { Instant } from "./records.ts";

/** Makes every logged snapshot whose entry lies below `size` `anchored`, by that evidence. The first anchor stays. Returns how many became so. */
export const markAnchored = async (
  catalog: Catalog,
  size: number,
  evidence: Readonly<Record<string, unknown>>,
  at: Instant,
): Promise<number> => {
  const rows = await query(
    catalog,
    `recording what the anchor of size ${size} covers`,
    `INSERT INTO dbgov.snapshot_state (snapshot_no, state, reached_at, evidence)
     SELECT s.snapshot_no, 'anchored', $2, $3
     FROM dbgov.snapshot s JOIN dbgov.log_entry e ON e.identity = 'snapshot-sealed/' || s.id
     WHERE e.log_index < $1
     ON CONFLICT DO NOTHING RETURNING 1`,
    [size, at, JSON.stringify(evidence)],
  );
  return rows.length;
};
