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

// Prepared once per connection: planning would cost more than looking.
const text = `
  SELECT encode(c.id, 'hex'), encode(p.id, 'hex'), c.byte_offset, c.stored_bytes, c.plain_bytes
  FROM dbgov.chunk c JOIN dbgov.pack p USING (pack_no)
  WHERE c.id = ANY ($1::bytea[]) AND p.written_at IS NOT NULL AND p.condemned_at IS NULL`;

/** For each id its place in a pack that is written and not condemned, or undefined. Best with some hundred ids a call. */
export const lookupChunks = async (catalog: Catalog, ids: readonly Uint8Array[]): Promise<(ChunkPlace | undefined)[]> => {
  if (ids.length === 0) return [];
  let rows: Row[];
  try {
    rows = (await catalog.pool.query<Row>({ name: "dbgov-lookup-chunks", text, values: [ids], rowMode: "array" })).rows;
  } catch (error) {
    throw catalogFailure(error, "looking up chunks");
  }
  const found = new Map<string, ChunkPlace>();
  for (const [id, pack, offset, storedBytes, plainBytes] of rows) found.set(id, { pack, offset, storedBytes, plainBytes });
  return found.size === 0 ? new Array(ids.length).fill(undefined) : ids.map((id) => found.get(Buffer.from(id).toString("hex")));
};
