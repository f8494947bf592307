import { type Queryable, run } from "./catalog.ts";

/**
 * Destroys the envelopes of these objects: without them nobody can open what the objects hold. Returns the objects that
 * had any. The rows' bytes are gone from the server's files once vacuum has passed and its WAL is recycled.
 */
export const deleteEnvelopes = async (db: Queryable, objects: readonly string[]): Promise<string[]> => {
  const rows = await run<{ object: string }>(db, "DELETE FROM dbgov.envelope WHERE object = ANY ($1::text[]) RETURNING object", [objects]);
  return [...new Set(rows.map((row) => row.object))].sort();
};
