import { Failure } from "../domain/failure.ts";
import type { IndexedEntry, Log } from "./log.ts";
import { tileWidth } from "./tiles.ts";
import type { ProofBundle } from "./verify/audit.ts";
import { toHex } from "./verify/hash.ts";
import type { PeriodStatement, ProvenEntry } from "./verify/period.ts";
import type { Objectives } from "./verify/period-facts.ts";

/** So many entries of the usual size make 4 to 6 MiB, by how large the log is, of the 8 that a verifier reads. */
const entriesOfPage = 2_000;

/** Where an entry of the database is, and when it was, as the catalog has it. */
export interface EntryPlace {
  readonly index: number;
  /** ISO 8601, UTC, with milliseconds. */
  readonly time: string;
}

export interface PeriodPages {
  /** How many pages there are, at least one. */
  readonly count: number;
  /** A page, from 1. */
  page(number: number): Promise<PeriodStatement>;
}

/**
 * The statement of a database's entries from `from` to `to`, in pages that a verifier can read one after the other. `places` are all that the log has of it, in its order; `attest`
 * proves one of them under the checkpoint that most speaks for it, which is that of all pages. Throws `NameUnknown` when the period has no entry.
 */
export const buildPeriodPages = async (options: {
  readonly log: Log;
  readonly places: readonly EntryPlace[];
  readonly database: { readonly name: string; readonly salt: string };
  readonly from: string;
  readonly to: string;
  readonly objectives?: Objectives;
  readonly attest: (index: number) => Promise<ProofBundle>;
  /** @default 2000 */
  readonly atMost?: number;
}): Promise<PeriodPages> => {
  const { log, places, database, from, to, objectives, attest, atMost = entriesOfPage } = options;
  const first = places.findIndex(({ time }) => time >= from && time <= to);
  const last = places.findLastIndex(({ time }) => time >= from && time <= to);
  if (first < 0) throw new Failure("NameUnknown", `the log ${log.origin} has no entry of ${database.name} from ${from} to ${to}`);
  const [before, after] = [places[first - 1], places[last + 1]];
  const { checkpoint, anchors, timestamps, consistency } = await attest((after ?? places[last]!).index);
  const size = Number(checkpoint.split("\n")[1]);
  const proven = async ({ index, entry }: IndexedEntry): Promise<ProvenEntry> => ({
    ...{ entry, index },
    inclusion: (await log.inclusionProof(index, size)).map(toHex),
  });
  const border = async ({ index }: EntryPlace): Promise<ProvenEntry> => proven(await log.entry(index));
  const count = Math.ceil((last + 1 - first) / atMost);
  const page = async (number: number): Promise<PeriodStatement> => {
    const entries: ProvenEntry[] = [];
    const start = first + (number - 1) * atMost;
    for await (const one of readPlaces(log, places.slice(start, Math.min(start + atMost, last + 1)))) entries.push(await proven(one));
    return {
      ...{ format: "dbgov-period", version: 1, database, from, to },
      ...(count === 1 ? {} : { page: { number, of: count } }),
      ...(objectives === undefined ? {} : { objectives }),
      entries,
      ...(before === undefined || number > 1 ? {} : { before: await border(before) }),
      ...(after === undefined || number < count ? {} : { after: await border(after) }),
      ...{ checkpoint, anchors },
      ...(timestamps === undefined ? {} : { timestamps }),
      ...(consistency === undefined ? {} : { consistency }),
    };
  };
  return { count, page };
};

/** Each of the log's bundles of entries is read once. */
async function* readPlaces(log: Log, places: readonly EntryPlace[]): AsyncIterable<IndexedEntry> {
  for (const together of Map.groupBy(places, ({ index }) => Math.floor(index / tileWidth)).values()) {
    const wanted = new Set(together.map(({ index }) => index));
    for await (const one of log.entries(together[0]!.index, together.at(-1)!.index + 1)) if (wanted.has(one.index)) yield one;
  }
}
