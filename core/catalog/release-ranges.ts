import { type Catalog, query } from "./catalog.ts";

/**
 * Gives up the claims on ranges that a capture could have taken over, once its snapshot is committed: from here on only
 * references protect them. Idempotent.
 */
export const releaseRanges = async (catalog: Catalog, ids: readonly string[]): Promise<void> => {
  await query(
    catalog,
    "releasing claimed ranges",
    `UPDATE dbgov.range SET claimed_until = NULL
     WHERE id IN (SELECT decode(hex, 'hex') FROM unnest($1::text[]) AS hex) AND claimed_until IS NOT NULL`,
    [ids],
  );
};
