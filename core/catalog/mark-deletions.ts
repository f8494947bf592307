import { type Catalog, run, transaction } from "./catalog.ts";
import { lockReferences } from "./locks.ts";
import type { Instant, PendingDeletion } from "./records.ts";

export interface Marking {
  readonly at: Instant;
  /** Not before that time are they removed. */
  readonly dueAt: Instant;
  readonly reason: PendingDeletion["reason"];
}

/**
 * Marks live snapshots to be removed once they are due; until then they are what they were. What is held is not marked, what is
 * marked keeps its time. Returns those that are marked by this call.
 */
export const markDeletions = async (catalog: Catalog, snapshots: readonly string[], marking: Marking): Promise<string[]> =>
  await transaction(catalog, "marking snapshots to be deleted", async (db) => {
    await lockReferences(db, "shared");
    const rows = await run<{ id: string }>(
      db,
      `WITH marked AS (
         INSERT INTO dbgov.pending_deletion (snapshot_no, marked_at, due_at, reason)
         SELECT snapshot_no, $2, $3, $4 FROM dbgov.live_snapshot WHERE id = ANY ($1::text[]) AND NOT held ORDER BY snapshot_no
         ON CONFLICT DO NOTHING RETURNING snapshot_no
       )
       SELECT id FROM dbgov.snapshot JOIN marked USING (snapshot_no) ORDER BY id`,
      [snapshots, marking.at, marking.dueAt, marking.reason],
    );
    return rows.map((row) => row.id);
  });
