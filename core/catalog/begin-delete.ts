import { type Catalog, run, transaction } from "./catalog.ts";
import { lockReferences } from "./locks.ts";

/**
 * The point of no return: marks as deleted those that are still condemned, and returns them; a pack that a capture
 * claimed meanwhile is left out. `ids` are those of `deletable`: pack ids, range ids, and snapshot ids for manifests.
 * Only what is returned may be deleted from stores. Called again, it returns what it marked before, too.
 */
export const beginDelete = async (catalog: Catalog, ids: readonly string[]): Promise<string[]> =>
  await transaction(catalog, "beginning a deletion", async (db) => {
    await lockReferences(db, "alone");
    const hex = ids.filter((id) => /^[0-9a-f]{64}$/.test(id));
    const packs = await run<{ id: string; pack_no: number }>(
      db,
      `UPDATE dbgov.pack SET deleted_at = coalesce(deleted_at, now())
       WHERE id IN (SELECT decode(hex, 'hex') FROM unnest($1::text[]) AS hex) AND condemned_at IS NOT NULL
       RETURNING encode(id, 'hex') AS id, pack_no`,
      [hex],
    );
    await run(db, "DELETE FROM dbgov.chunk WHERE pack_no = ANY ($1::bigint[])", [packs.map((pack) => pack.pack_no)]);
    const ranges = await run<{ id: string }>(
      db,
      `UPDATE dbgov.range SET deleted_at = coalesce(deleted_at, now())
       WHERE id IN (SELECT decode(hex, 'hex') FROM unnest($1::text[]) AS hex) AND condemned_at IS NOT NULL
       RETURNING encode(id, 'hex') AS id`,
      [hex],
    );
    const manifests = await run<{ id: string }>(
      db,
      `UPDATE dbgov.snapshot SET manifest_deleted_at = coalesce(manifest_deleted_at, now())
       WHERE id = ANY ($1::text[]) AND removed_at IS NOT NULL RETURNING id`,
      [ids],
    );
    return [...packs, ...ranges, ...manifests].map((row) => row.id).sort();
  });
