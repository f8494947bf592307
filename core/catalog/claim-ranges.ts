import { type Catalog, run, transaction } from "./catalog.ts";
import { claimLease } from "./claim-packs.ts";
import { lockReferences } from "./locks.ts";

/**
 * Protects ranges that a running capture takes over from an earlier snapshot, and by them their packs and envelopes,
 * until its snapshot is committed (or the lease ends). Returns the ids that are gone. Idempotent.
 */
export const claimRanges = async (catalog: Catalog, ids: readonly string[]): Promise<string[]> => {
  if (ids.length === 0) return [];
  return await transaction(catalog, "claiming ranges", async (db) => {
    await lockReferences(db, "shared");
    const rows = await run<{ id: string }>(
      db,
      `WITH wanted AS (
         SELECT range_no FROM dbgov.range
         WHERE id IN (SELECT decode(hex, 'hex') FROM unnest($1::text[]) AS hex) AND condemned_at IS NULL
         ORDER BY range_no FOR UPDATE
       )
       UPDATE dbgov.range r SET claimed_until = now() + $2::interval
       FROM wanted WHERE r.range_no = wanted.range_no
       RETURNING encode(r.id, 'hex') AS id`,
      [ids, claimLease],
    );
    const claimed = new Set(rows.map((row) => row.id));
    return [...new Set(ids)].filter((id) => !claimed.has(id));
  });
};
