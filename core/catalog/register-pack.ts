import { Failure } from "../domain/failure.ts";
import type { LandingRoom } from "../domain/room.ts";
import { packKey } from "../repository/object-keys.ts";
import { type Catalog, run, transaction } from "./catalog.ts";
import { claimLease } from "./claim-packs.ts";
import { lockLandingRoom, requireLandingRoom } from "./landing-room.ts";
import { lockReferences } from "./locks.ts";
import type { PackRegistration } from "./records.ts";

/**
 * Notes a pack and its chunks before it is put into its landing store, so that whatever becomes of the put, retention
 * knows that the object may be there. The pack is claimed for its capture. Idempotent; `PacksReclaimed` when this pack
 * was deleted meanwhile, `StoreFull` when its store has no room for it.
 */
export const registerPack = async (catalog: Catalog, pack: PackRegistration, room?: LandingRoom): Promise<void> => {
  const { id, bytes, root, store, chunks } = pack;
  await transaction(catalog, `registering pack ${id}`, async (db) => {
    await lockReferences(db, "shared");
    await lockLandingRoom(db, room);
    const [row] = await run<{ pack_no: number; inserted: boolean; deleted: boolean }>(
      db,
      `INSERT INTO dbgov.pack (id, bytes, root, claimed_until)
       VALUES (decode($1, 'hex'), $2, decode($3, 'hex'), now() + $4::interval)
       ON CONFLICT (id) DO UPDATE SET
         claimed_until = CASE WHEN pack.deleted_at IS NULL THEN excluded.claimed_until ELSE pack.claimed_until END,
         condemned_at = CASE WHEN pack.deleted_at IS NULL THEN NULL ELSE pack.condemned_at END
       RETURNING pack_no, xmax = 0 AS inserted, deleted_at IS NOT NULL AS deleted`,
      [id, bytes, root, claimLease],
    );
    if (row === undefined || row.deleted) throw new Failure("PacksReclaimed", `pack ${id} was deleted before it was written`);
    await run(db, "INSERT INTO dbgov.replica (object, store, bytes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", [
      packKey(id),
      store,
      bytes,
    ]);
    await requireLandingRoom(db, room, store);
    if (!row.inserted || chunks.length === 0) return;
    await run(
      db,
      `INSERT INTO dbgov.chunk (id, pack_no, byte_offset, stored_bytes, plain_bytes)
       SELECT c.id, $1, c.byte_offset, c.stored_bytes, c.plain_bytes
       FROM unnest($2::bytea[], $3::int[], $4::int[], $5::int[]) AS c (id, byte_offset, stored_bytes, plain_bytes)
       ON CONFLICT DO NOTHING`,
      [
        row.pack_no,
        chunks.map((chunk) => chunk.id),
        chunks.map((chunk) => chunk.offset),
        chunks.map((chunk) => chunk.storedBytes),
        chunks.map((chunk) => chunk.plainBytes),
      ],
    );
  });
};
