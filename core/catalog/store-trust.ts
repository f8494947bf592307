import { type StoreEvidence, trustOf } from "../domain/store-trust.ts";
import { type Catalog, query } from "./catalog.ts";

/** How far each store is believed, between 0 and 1, by its answers of the last year. A store that gave none is not named: it has its credit. */
export const storeTrust = async (catalog: Catalog): Promise<Map<string, number>> => {
  const rows = await query<StoreEvidence & { readonly store: string }>(
    catalog,
    "reading what speaks for and against the stores",
    `SELECT store, kind, ((now() AT TIME ZONE 'UTC')::date - day)::int AS "ageDays", answers FROM dbgov.store_evidence
     WHERE day > (now() AT TIME ZONE 'UTC')::date - 366 ORDER BY store, day, kind`,
  );
  return new Map([...Map.groupBy(rows, ({ store }) => store)].map(([store, evidence]) => [store, trustOf(evidence)]));
};
