import { type Catalog, run, transaction } from "./catalog.ts";
import { lockReferences } from "./locks.ts";

/**
 * Notes that no store has an intact copy of these packs any more: captures write what was in them anew instead of
 * referring to them, and no snapshot that needs one is `verified`. Packs that a store is recorded to have are left out.
 * Returns the ids of those that are lost. `markPackWritten` finds a pack again.
 */
export const markPacksLost = async (catalog: Catalog, ids: readonly string[]): Promise<string[]> =>
  await transaction(catalog, "noting packs as lost", async (db) => {
    await lockReferences(db, "alone");
    const lost = await run<{ id: string; pack_no: number }>(
      db,
      `UPDATE dbgov.pack p SET written_at = NULL
       WHERE p.id IN (SELECT decode(hex, 'hex') FROM unnest($1::text[]) AS hex) AND p.deleted_at IS NULL
         AND NOT EXISTS (SELECT FROM dbgov.replica r WHERE r.object = dbgov.pack_key(p.id) AND r.receipt IS NOT NULL)
       RETURNING encode(p.id, 'hex') AS id, p.pack_no`,
      [ids],
    );
    await run(
      db,
      `DELETE FROM dbgov.snapshot_state s WHERE s.state = 'verified' AND s.snapshot_no IN (
         SELECT x.snapshot_no FROM dbgov.snapshot_range x JOIN dbgov.range_pack y USING (range_no) WHERE y.pack_no = ANY ($1::bigint[]))`,
      [lost.map((pack) => pack.pack_no)],
    );
    return lost.map((pack) => pack.id).sort();
  });
