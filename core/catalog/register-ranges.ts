import { Failure } from "../domain/failure.ts";
import type { LandingRoom } from "../domain/room.ts";
import { rangeKey } from "../repository/object-keys.ts";
import { type Catalog, run, transaction } from "./catalog.ts";
import { claimLease } from "./claim-packs.ts";
import { lockLandingRoom, requireLandingRoom } from "./landing-room.ts";
import { lockReferences } from "./locks.ts";

/**
 * Notes ranges before they are put into their landing store, so that those whose run never commits are still found and
 * deleted. Optional: `commitSnapshot` notes what it is told. Idempotent; `PacksReclaimed` when one was condemned, `StoreFull` when
 * the store has no room for them; then none is noted.
 */
export const registerRanges = async (
  catalog: Catalog,
  store: string,
  ranges: readonly { readonly id: string; readonly bytes: number }[],
  room?: LandingRoom,
): Promise<void> => {
  if (ranges.length === 0) return;
  // Sorted, so that two calls never wait for each other.
  const sorted = [...new Map(ranges.map((range) => [range.id, range])).values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  await transaction(catalog, `registering ${sorted.length} ranges`, async (db) => {
    await lockReferences(db, "shared");
    await lockLandingRoom(db, room);
    const [reclaimed] = await run<{ id: string }>(
      db,
      `WITH noted AS (
         INSERT INTO dbgov.range (id, claimed_until) SELECT decode(id, 'hex'), now() + $2::interval FROM unnest($1::text[]) AS id
         ON CONFLICT (id) DO UPDATE SET claimed_until = greatest(range.claimed_until, excluded.claimed_until)
         RETURNING id, condemned_at
       )
       SELECT encode(id, 'hex') AS id FROM noted WHERE condemned_at IS NOT NULL LIMIT 1`,
      [sorted.map(({ id }) => id), claimLease],
    );
    if (reclaimed !== undefined) throw new Failure("PacksReclaimed", `range ${reclaimed.id} was reclaimed`);
    await run(
      db,
      `INSERT INTO dbgov.replica (object, store, bytes) SELECT object, $2, bytes FROM unnest($1::text[], $3::bigint[]) AS range (object, bytes)
       ON CONFLICT DO NOTHING`,
      [sorted.map(({ id }) => rangeKey(id)), store, sorted.map(({ bytes }) => bytes)],
    );
    await requireLandingRoom(db, room, store);
  });
};
