import { type Catalog, query } from "./catalog.ts";

/**
 * The sequence number of a database's next log entry, from 1 without gaps (`null`: of entries that concern no single
 * database). Taken only when the entry is recorded, so it must be asked for and used inside one append (`withAdvisoryLock`).
 */
export const nextSequence = async (catalog: Catalog, database: string | null): Promise<number> => {
  const [row] = await query<{ next: number }>(
    catalog,
    "allocating a sequence number",
    "SELECT coalesce(max(sequence), 0) + 1 AS next FROM dbgov.log_entry WHERE coalesce(database, '') = coalesce($1::text, '')",
    [database],
  );
  return row!.next;
};
