import { Failure } from "../domain/failure.ts";
import { type Catalog, run, transaction } from "./catalog.ts";
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

/** An entry is in the log. Idempotent; `LedgerConflict` when its identity, index or sequence is taken by another. */
export const recordLogEntry = async (catalog: Catalog, entry: LogEntryFacts): Promise<void> =>
  await transaction(catalog, `recording log entry ${entry.index}`, async (db) => {
    const rows = await run(
      db,
      `INSERT INTO dbgov.log_entry (identity, log_index, kind, database, sequence, entry_hash, at)
       VALUES ($1, $2, $3, $4, $5, decode($6, 'hex'), $7) ON CONFLICT DO NOTHING RETURNING 1`,
      [entry.identity, entry.index, entry.kind, entry.database ?? null, entry.sequence ?? null, entry.entryHash, entry.at],
    );
    if (rows.length > 0) return;
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
  });
