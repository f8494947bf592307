import type { EntryFilter } from "../../core/catalog/page-log-entries.ts";
import { sequenceOf } from "../../core/ledger/entries.ts";
import type { ProvenEntry } from "./query-log.ts";

/**
 * Where entries are missing, in sentences: those of each database, and those of none, count up one by one from 1. Of a period only the order can be told,
 * since entries are in the log's order and not in that of their times. Says nothing of entries after the last one.
 */
export const sequenceGaps = (entries: readonly ProvenEntry[], { since, until }: EntryFilter): string[] => {
  const whole = since === undefined && until === undefined;
  const gaps: string[] = [];
  const last = new Map<string, number>();
  for (const { entry, database } of entries) {
    const counter = sequenceOf(entry);
    const before = last.get(counter) ?? 0;
    if (whole ? entry.sequence !== before + 1 : entry.sequence <= before) {
      const whose = database ?? (counter === "" ? "no database" : `the database ${counter.slice(0, 8)}…`);
      gaps.push(`of ${whose} leap from ${before} to ${entry.sequence}: some were left out, or the token does not cover them`);
    }
    last.set(counter, entry.sequence);
  }
  return gaps;
};
