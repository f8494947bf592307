import { entryIdentity } from "../ledger/verify/entry.ts";
import { type Catalog, query } from "./catalog.ts";
import type { LogEntryRecord } from "./records.ts";

const select = `SELECT identity, log_index AS index, kind, database, sequence, encode(entry_hash, 'hex') AS "entryHash", at FROM dbgov.log_entry`;

/** By its name, or by the log's hash of it, as a catalog has it that was rebuilt from the log. */
export const findLogEntry = async (catalog: Catalog, identity: string): Promise<LogEntryRecord | undefined> => {
  const hashed = `log/${entryIdentity(identity)}`;
  const [entry] = await query<LogEntryRecord>(catalog, `finding log entry ${identity}`, `${select} WHERE identity IN ($1, $2)`, [
    identity,
    hashed,
  ]);
  return entry;
};

/** The same for many at once; those that are there, by the names they were asked by. */
export const findLogEntries = async (catalog: Catalog, identities: readonly string[]): Promise<Map<string, LogEntryRecord>> => {
  const nameOf = new Map(identities.flatMap((name) => [[name, name] as const, [`log/${entryIdentity(name)}`, name] as const]));
  const found = await query<LogEntryRecord>(catalog, `finding ${identities.length} log entries`, `${select} WHERE identity = ANY ($1)`, [
    [...nameOf.keys()],
  ]);
  return new Map(found.map((entry) => [nameOf.get(entry.identity) as string, entry]));
};

/** In the log's order; of one database, of one kind, or all. */
export const logEntries = (
  catalog: Catalog,
  filter: { readonly database?: string | undefined; readonly kind?: string | undefined } = {},
): Promise<LogEntryRecord[]> =>
  query(
    catalog,
    "listing log entries",
    `${select} WHERE ($1::text IS NULL OR database = $1) AND ($2::text IS NULL OR kind = $2) ORDER BY log_index`,
    [filter.database ?? null, filter.kind ?? null],
  );
