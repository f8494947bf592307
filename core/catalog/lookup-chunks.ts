import type { Catalog } from "./catalog.ts";
import { catalogFailure } from "./catalog-failure.ts";

/** Where a chunk lies: `pack` is its id as hex, `offset` in its bytes. */
export interface ChunkPlace {
  readonly pack: string;
  readonly offset: number;
  readonly storedBytes: number;
  readonly plainBytes: number;
}

type Row = [id: string, pack: string, offset: number, storedBytes: number, plainBytes: number];

// A replica without a receipt that is older than the pack's writing is where it was written to; a later one only announces a copy.
// Prepared once per connection: planning would cost more than looking.
const text = `
  SELECT encode(c.id, 'hex'), encode(p.id, 'hex'), c.byte_offset, c.stored_bytes, c.plain_bytes
  FROM dbgov.chunk c JOIN dbgov.pack p USING (pack_no)
  WHERE c.id = ANY ($1::bytea[]) AND p.written_at IS NOT NULL AND p.condemned_at IS NULL
    AND NOT EXISTS (SELECT FROM dbgov.sparse_pack s WHERE s.pack_no = p.pack_no AND s.retiring)
    AND EXISTS (SELECT FROM dbgov.replica r WHERE r.object = dbgov.pack_key(p.id) AND r.store = $2
      AND (r.receipt IS NOT NULL OR (r.recorded_at <= p.written_at AND r.lost_at IS NULL)))
  ORDER BY p.pack_no`;

/**
 * For each id its place in a pack that `store` has, that is written and not condemned, or undefined. A pack whose copy
 * there was found bad does not count, nor does one that is retiring: a capture writes its chunks again. Of
 * several packs that have the chunk, the youngest: what was moved out of an older one stays out of it. Best with some hundred ids a call.
 */
export const lookupChunks = async (catalog: Catalog, store: string, ids: readonly Uint8Array[]): Promise<(ChunkPlace | undefined)[]> => {
  if (ids.length === 0) return [];
  let rows: Row[];
  try {
    rows = (await catalog.pool.query<Row>({ name: "dbgov-lookup-chunks", text, values: [ids, store], rowMode: "array" })).rows;
  } catch (error) {
    throw catalogFailure(error, "looking up chunks");
  }
  const found = new Map<string, ChunkPlace>();
  for (const [id, pack, offset, storedBytes, plainBytes] of rows) found.set(id, { pack, offset, storedBytes, plainBytes });
  return found.size === 0 ? new Array(ids.length).fill(undefined) : ids.map((id) => found.get(Buffer.from(id).toString("hex")));
};
