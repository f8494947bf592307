import { Failure } from "../domain/failure.ts";
import { rangeKey } from "../repository/object-keys.ts";
import { type Catalog, run, transaction } from "./catalog.ts";
import { claimLease } from "./claim-packs.ts";
import { lockReferences } from "./locks.ts";

/**
 * Notes a range before it is put into its landing store, so that one whose run never commits is still found and
 * deleted. Optional: `commitSnapshot` notes what it is told. Idempotent; `PacksReclaimed` when it was condemned.
 */
export const registerRange = async (catalog: Catalog, range: { id: string; bytes: number; store: string }): Promise<void> => {
  const { id, bytes, store } = range;
  await transaction(catalog, `registering range ${id}`, async (db) => {
    await lockReferences(db, "shared");
    const [row] = await run<{ condemned: boolean }>(
      db,
      `INSERT INTO dbgov.range (id, claimed_until) VALUES (decode($1, 'hex'), now() + $2::interval)
       ON CONFLICT (id) DO UPDATE SET claimed_until = greatest(range.claimed_until, excluded.claimed_until)
       RETURNING condemned_at IS NOT NULL AS condemned`,
      [id, claimLease],
    );
    if (row === undefined || row.condemned) throw new Failure("PacksReclaimed", `range ${id} was reclaimed`);
    await run(db, "INSERT INTO dbgov.replica (object, store, bytes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", [
      rangeKey(id),
      store,
      bytes,
    ]);
  });
};
