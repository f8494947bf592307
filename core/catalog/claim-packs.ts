import { type Catalog, run, transaction } from "./catalog.ts";
import { lockReferences } from "./locks.ts";

/** How long a registration or claim protects what no committed snapshot refers to yet: longer than any run should take. */
export const claimLease = "7 days";

/**
 * Makes every one of these packs live again and protects it from retention until the snapshot that needs it is
 * committed (or the lease ends). Returns the ids that are gone: unknown, never written, or deleted. Idempotent.
 */
export const claimPacks = async (catalog: Catalog, ids: readonly string[]): Promise<string[]> => {
  if (ids.length === 0) return [];
  return await transaction(catalog, "claiming packs", async (db) => {
    await lockReferences(db, "shared");
    // In one order, so that two claims never wait for each other.
    const rows = await run<{ id: string }>(
      db,
      `WITH wanted AS (
         SELECT pack_no FROM dbgov.pack
         WHERE id IN (SELECT decode(hex, 'hex') FROM unnest($1::text[]) AS hex) AND written_at IS NOT NULL AND deleted_at IS NULL
         ORDER BY pack_no FOR UPDATE
       )
       UPDATE dbgov.pack p SET condemned_at = NULL, claimed_until = now() + $2::interval
       FROM wanted WHERE p.pack_no = wanted.pack_no
       RETURNING encode(p.id, 'hex') AS id`,
      [ids, claimLease],
    );
    const claimed = new Set(rows.map((row) => row.id));
    return [...new Set(ids)].filter((id) => !claimed.has(id));
  });
};
