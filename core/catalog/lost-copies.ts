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

/** Up to `limit` copies that were found bad, whose objects are still needed and no parity (that is made anew), in these stores, after the one that is given; in a fixed order. */
export const lostCopies = (catalog: Catalog, stores: readonly string[], after: LostCopy | undefined, limit: number): Promise<LostCopy[]> =>
  query(
    catalog,
    "listing lost copies",
    `SELECT r.object, r.store FROM dbgov.replica r WHERE r.lost_at IS NOT NULL AND r.store = ANY ($1::text[]) AND (r.object, r.store) > ($2, $3)
       AND r.object NOT LIKE 'parity/%'
       AND ${liveObject("r.object")} ORDER BY r.object, r.store LIMIT $4`,
    [stores, after?.object ?? "", after?.store ?? "", limit],
  );
