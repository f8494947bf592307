import { type Catalog, run, transaction } from "./catalog.ts";
import { lockReferences } from "./locks.ts";

/** These snapshots stay after all. Returns those that were marked and still live: what is removed cannot be brought back. Idempotent. */
export const unmarkDeletions = async (catalog: Catalog, snapshots: readonly string[]): Promise<string[]> =>
  await transaction(catalog, "keeping snapshots that were marked", async (db) => {
    // Not beside a removal: what it is about to remove would be said to stay.
    await lockReferences(db, "shared");
    const rows = await run<{ id: string }>(
      db,
      `WITH kept AS (
         DELETE FROM dbgov.pending_deletion p USING dbgov.snapshot s
         WHERE s.id = ANY ($1::text[]) AND s.removed_at IS NULL AND p.snapshot_no = s.snapshot_no RETURNING s.id
       )
       SELECT id FROM kept ORDER BY id`,
      [snapshots],
    );
    return rows.map((row) => row.id);
  });
