import { type Catalog, query } from "./catalog.ts";

/** How large objects are, as the stores that have them say; those of which nobody knows it are not in the answer. */
export const objectSizes = async (catalog: Catalog, objects: readonly string[]): Promise<Map<string, number>> => {
  const rows = await query<{ object: string; bytes: number }>(
    catalog,
    "reading the sizes of objects",
    "SELECT object, max(bytes) AS bytes FROM dbgov.replica WHERE object = ANY ($1::text[]) GROUP BY object HAVING max(bytes) > 0",
    [objects],
  );
  return new Map(rows.map(({ object, bytes }) => [object, bytes]));
};
