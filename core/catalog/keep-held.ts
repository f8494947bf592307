import { type Catalog, query } from "./catalog.ts";

/** What a hold names by now is not marked to go any more. Returns those snapshots. Idempotent. */
export const keepHeld = async (catalog: Catalog): Promise<string[]> => {
  const rows = await query<{ id: string }>(
    catalog,
    "keeping what is held",
    `WITH kept AS (
       DELETE FROM dbgov.pending_deletion p USING dbgov.live_snapshot l WHERE l.snapshot_no = p.snapshot_no AND l.held RETURNING l.id
     )
     SELECT id FROM kept ORDER BY id`,
  );
  return rows.map((row) => row.id);
};
