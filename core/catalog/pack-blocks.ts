import { type Catalog, query } from "./catalog.ts";

/** Hashes of a pack's blocks as they were kept, one after the other; undefined when they were not. */
export const packBlocks = async (catalog: Catalog, pack: string): Promise<Uint8Array | undefined> => {
  const [row] = await query<{ hashes: Uint8Array }>(
    catalog,
    `reading the blocks of pack ${pack}`,
    "SELECT hashes FROM dbgov.pack_blocks JOIN dbgov.pack USING (pack_no) WHERE id = decode($1, 'hex')",
    [pack],
  );
  return row?.hashes;
};

/** Keeps the hashes of a pack's blocks. */
export const keepPackBlocks = async (catalog: Catalog, pack: string, hashes: Uint8Array): Promise<void> => {
  await query(
    catalog,
    `keeping the blocks of pack ${pack}`,
    `INSERT INTO dbgov.pack_blocks (pack_no, hashes) SELECT pack_no, $2 FROM dbgov.pack WHERE id = decode($1, 'hex') AND deleted_at IS NULL
     ON CONFLICT (pack_no) DO UPDATE SET hashes = excluded.hashes`,
    [pack, Buffer.from(hashes)],
  );
};

/** Lets go of the hashes of packs that were deleted. */
export const forgetPackBlocks = async (catalog: Catalog): Promise<void> => {
  await query(
    catalog,
    "forgetting the blocks of deleted packs",
    "DELETE FROM dbgov.pack_blocks b USING dbgov.pack p WHERE p.pack_no = b.pack_no AND p.deleted_at IS NOT NULL",
  );
};
