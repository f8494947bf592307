import { type Catalog, run, transaction } from "./catalog.ts";
import { lockRoom } from "./locks.ts";
import { type StoreUsage, storeUsageIn } from "./store-usage.ts";

/** Whose room it is: `account` is what stores that share a quota have in common. */
export interface Room {
  readonly account: string;
  readonly stores: readonly string[];
}

export interface Wanted {
  readonly object: string;
  /** As they will lie there. */
  readonly bytes: number;
}

/** What would come to an account's stores beside what is there. */
export interface Demand {
  readonly usage: readonly StoreUsage[];
  readonly bytes: number;
  readonly objects: number;
}

/**
 * Announces objects that are about to be put into a store, unless `decide` throws when it hears what that would come to. Two that ask for
 * the same room at once are heard one after the other, and what the first was given counts against the second; so no two runs fill
 * one place. Announced again, an object counts once.
 */
export const reserveRoom = async (
  catalog: Catalog,
  store: string,
  room: Room,
  wanted: readonly Wanted[],
  decide: (demand: Demand) => void,
): Promise<void> => {
  if (wanted.length === 0) return;
  // Sorted, so that two calls never wait for each other.
  const sorted = [...new Map(wanted.map((one) => [one.object, one])).values()].sort((a, b) => (a.object < b.object ? -1 : 1));
  const values = [sorted.map(({ object }) => object), store, sorted.map(({ bytes }) => bytes)];
  await transaction(catalog, `making room for ${sorted.length} objects in ${store}`, async (db) => {
    await lockRoom(db, room.account);
    const [added] = await run<{ bytes: number; objects: number }>(
      db,
      `SELECT coalesce(sum(greatest(0, w.bytes - coalesce(r.bytes, 0))), 0)::bigint AS bytes, count(*) FILTER (WHERE r.object IS NULL) AS objects
       FROM unnest($1::text[], $3::bigint[]) AS w (object, bytes) LEFT JOIN dbgov.replica r ON r.object = w.object AND r.store = $2`,
      values,
    );
    decide({ usage: await storeUsageIn(db, room.stores), bytes: added?.bytes ?? 0, objects: added?.objects ?? 0 });
    await run(
      db,
      `INSERT INTO dbgov.replica (object, store, bytes) SELECT object, $2, bytes FROM unnest($1::text[], $3::bigint[]) AS w (object, bytes)
       ON CONFLICT (object, store) DO UPDATE SET bytes = excluded.bytes WHERE replica.receipt IS NULL AND replica.bytes < excluded.bytes`,
      values,
    );
  });
};
