import { type Catalog, query } from "./catalog.ts";

/** The newest live snapshot of each database. */
export const newestSnapshots = async (catalog: Catalog): Promise<string[]> => {
  const rows = await query<{ id: string }>(
    catalog,
    "finding the newest snapshots",
    "SELECT DISTINCT ON (database) id FROM dbgov.live_snapshot ORDER BY database, captured_at DESC, id DESC",
  );
  return rows.map(({ id }) => id);
};
