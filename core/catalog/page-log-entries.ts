import type { AuditScope } from "./audit-tokens.ts";
import { type Catalog, query } from "./catalog.ts";

/** Which entries are asked for. Times are of the entries themselves: from `since`, to before `until`. */
export interface EntryFilter {
  readonly database?: string | undefined;
  readonly kind?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

interface EntryPlace {
  readonly index: number;
  readonly database: string | null;
}

/**
 * Up to `limit` entries from index `from` to before `to`, in the log's order, of those that `scope` covers. An entry of no database is covered by every
 * scope that has its kind.
 */
export const pageLogEntries = (
  catalog: Catalog,
  scope: AuditScope,
  { database, kind, since, until }: EntryFilter,
  { from, to, limit }: { readonly from: number; readonly to: number; readonly limit: number },
): Promise<EntryPlace[]> =>
  query<EntryPlace>(
    catalog,
    "listing log entries for an auditor",
    `SELECT log_index AS index, database FROM dbgov.log_entry
     WHERE log_index >= $1 AND log_index < $2
       AND ($3::text[] IS NULL OR database IS NULL OR database = ANY ($3)) AND ($4::text[] IS NULL OR kind = ANY ($4))
       AND ($5::text IS NULL OR database = $5) AND ($6::text IS NULL OR kind = $6)
       AND ($7::timestamptz IS NULL OR at >= $7) AND ($8::timestamptz IS NULL OR at < $8)
     ORDER BY log_index LIMIT $9`,
    [from, to, scope.databases, scope.kinds, database ?? null, kind ?? null, since ?? null, until ?? null, limit],
  );
