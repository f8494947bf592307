import { Failure } from "../domain/failure.ts";
import { type Catalog, run, transaction } from "./catalog.ts";
import { lockReferences } from "./locks.ts";
import type { HoldRecord, Instant } from "./records.ts";

/**
 * From here on nothing that the hold names is removed: a database, a snapshot, or everything when both are null.
 * Idempotent by id; a hold that was lifted stays lifted. `SnapshotUnknown` when its snapshot does not exist any more.
 */
export const placeHold = async (
  catalog: Catalog,
  hold: Omit<HoldRecord, "at" | "until"> & { readonly at: Instant; readonly until?: Instant | null },
): Promise<void> =>
  await transaction(catalog, `placing hold ${hold.id}`, async (db) => {
    // Not beside a removal: either it sees the hold, or the hold sees what it removed.
    await lockReferences(db, "shared");
    const placed = await run(
      db,
      `INSERT INTO dbgov.hold (id, database, snapshot, reason, placed_by, placed_at, until) VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT DO NOTHING RETURNING 1`,
      [hold.id, hold.database, hold.snapshot, hold.reason, hold.by, hold.at, hold.until ?? null],
    );
    if (placed.length === 0 || hold.snapshot === null) return;
    const live = await run(db, "SELECT FROM dbgov.live_snapshot WHERE id = $1", [hold.snapshot]);
    if (live.length === 0)
      throw new Failure("SnapshotUnknown", `snapshot ${hold.snapshot} is not in the catalog, or was removed: it cannot be held`);
  });
