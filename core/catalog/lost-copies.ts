import { type Catalog, query } from "./catalog.ts";
import { liveObject } from "./live-object.ts";

export interface LostCopy {
  readonly object: string;
  readonly store: string;
}

/** The stores whose copies of an object were found bad. */
export const storesThatLost = async (catalog: Catalog, object: string): Promise<string[]> => {
  const rows = await query<{ store: string }>(
    catalog,
    `looking who lost ${object}`,
    "SELECT store FROM dbgov.replica WHERE object = $1 AND lost_at IS NOT NULL ORDER BY store",
    [object],
  );
  return rows.map(({ store }) => store);
};

/** Copies that were found bad, whose objects are still needed and no parity (that is made anew), in the stores of the first parameter. */
const standing = `FROM dbgov.replica r WHERE r.lost_at IS NOT NULL AND r.store = ANY ($1::text[]) AND r.object NOT LIKE 'parity/%' AND ${liveObject("r.object")}`;

/**
 * Up to `limit` of them that have not had their turn in the pass of that time (see `markAsked`); those first whose turn was longest ago, so that
 * none is kept waiting for good by others that cannot be replaced.
 */
export const lostCopies = (catalog: Catalog, stores: readonly string[], pass: Date, limit: number): Promise<LostCopy[]> =>
  query(
    catalog,
    "listing lost copies",
    `SELECT r.object, r.store ${standing} AND r.asked_at IS DISTINCT FROM $2 ORDER BY r.asked_at NULLS FIRST, r.object, r.store LIMIT $3`,
    [stores, pass, limit],
  );

/** How many there are. */
export const countLostCopies = async (catalog: Catalog, stores: readonly string[]): Promise<number> => {
  const [row] = await query<{ count: number }>(catalog, "counting lost copies", `SELECT count(*) AS count ${standing}`, [stores]);
  return row?.count ?? 0;
};
