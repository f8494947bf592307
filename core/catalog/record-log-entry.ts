import { Failure } from "../domain/failure.ts";
import { type Catalog, type Queryable, run, transaction } from "./catalog.ts";
import type { Instant } from "./records.ts";

export interface LogEntryFacts {
  /** What makes a repeated append the same entry. */
  readonly identity: string;
  readonly index: number;
  readonly kind: string;
  readonly database?: string | null | undefined;
  readonly sequence?: number | null | undefined;
  readonly entryHash: string;
  readonly at: Instant;
}

/** Entries are in the log. Idempotent; `LedgerConflict` when identity, index or sequence of one is taken by another. */
export const recordLogEntries = async (catalog: Catalog, entries: readonly LogEntryFacts[]): Promise<void> => {
  if (entries.length === 0) return;
  const column = <T>(of: (entry: LogEntryFacts) => T): T[] => entries.map(of);
  await transaction(catalog, `recording log entry ${entries[0]!.index}`, async (db) => {
    const rows = await run<{ index: number }>(
      db,
      `INSERT INTO dbgov.log_entry (identity, log_index, kind, database, sequence, entry_hash, at)
       SELECT identity, log_index, kind, database, sequence, decode(entry_hash, 'hex'), at
       FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[])
         AS e (identity, log_index, kind, database, sequence, entry_hash, at)
       ON CONFLICT DO NOTHING RETURNING log_index AS index`,
      [
        column(({ identity }) => identity),
        column(({ index }) => index),
        column(({ kind }) => kind),
        column(({ database }) => database ?? null),
        column(({ sequence }) => sequence ?? null),
        column(({ entryHash }) => entryHash),
        column(({ at }) => at),
      ],
    );
    const fresh = new Set(rows.map(({ index }) => index));
    for (const entry of entries) if (!fresh.has(entry.index)) await requireSame(db, entry);
  });
};

/** The same for one. */
export const recordLogEntry = (catalog: Catalog, entry: LogEntryFacts): Promise<void> => recordLogEntries(catalog, [entry]);

const requireSame = async (db: Queryable, entry: LogEntryFacts): Promise<void> => {
  const same = await run(
    db,
    "SELECT FROM dbgov.log_entry WHERE identity = $1 AND log_index = $2 AND entry_hash = decode($3, 'hex') AND sequence IS NOT DISTINCT FROM $4",
    [entry.identity, entry.index, entry.entryHash, entry.sequence ?? null],
  );
  if (same.length === 0) {
    throw new Failure(
      "LedgerConflict",
      `log entry ${entry.index} (${entry.identity}) differs from what is recorded under its identity, index or sequence`,
    );
  }
};
