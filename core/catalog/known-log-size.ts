import { type Catalog, query } from "./catalog.ts";

/** The number of log entries from the log's beginning that are all in the catalog: an append need not read them again. */
export const knownLogSize = async (catalog: Catalog): Promise<number> => {
  const [row] = await query<{ size: number }>(
    catalog,
    "counting the known log entries",
    `SELECT coalesce(
       (SELECT min(e.log_index) + 1 FROM dbgov.log_entry e
        WHERE NOT EXISTS (SELECT FROM dbgov.log_entry n WHERE n.log_index = e.log_index + 1)
          AND EXISTS (SELECT FROM dbgov.log_entry z WHERE z.log_index = 0)), 0) AS size`,
  );
  return row?.size ?? 0;
};
