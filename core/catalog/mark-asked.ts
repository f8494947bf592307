import { type Catalog, query } from "./catalog.ts";

/** A copy had its turn at `at`, whatever came of it: what has not had one for longer comes before it. */
export const markAsked = async (catalog: Catalog, object: string, store: string, at: Date): Promise<void> => {
  await query(
    catalog,
    `noting that ${object} had its turn in ${store}`,
    "UPDATE dbgov.replica SET asked_at = $3 WHERE object = $1 AND store = $2",
    [object, store, at],
  );
};
