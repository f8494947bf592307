import { type Catalog, query } from "./catalog.ts";

/** The number of log entries from the log's beginning that are all in the catalog: an append need not read them again. */
export const knownLogSize = async (catalog: Catalog): Promise<number> => {
  const during = "counting the known log entries";
  const [counted] = await query<{ size: number }>(catalog, during, "SELECT size FROM dbgov.log_known");
  const before = counted?.size ?? 0;
  const [row] = await query<{ size: number }>(
    catalog,
    during,
    `SELECT coalesce(
       (SELECT min(e.log_index) + 1 FROM dbgov.log_entry e
        WHERE e.log_index >= $1 AND NOT EXISTS (SELECT FROM dbgov.log_entry n WHERE n.log_index >= $1 AND n.log_index = e.log_index + 1)
          AND EXISTS (SELECT FROM dbgov.log_entry z WHERE z.log_index = $1)), 0) AS size`,
    [Math.max(0, before - 1)],
  );
  const size = row?.size ?? 0;
  if (size > before) await query(catalog, during, "UPDATE dbgov.log_known SET size = greatest(size, $1)", [size]);
  return size;
};
