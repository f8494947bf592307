import { Failure } from "../domain/failure.ts";
import type { IndexedEntry, Log } from "./log.ts";
import type { ProofBundle } from "./verify/audit.ts";
import { toHex } from "./verify/hash.ts";
import type { PeriodStatement, ProvenEntry } from "./verify/period.ts";

/**
 * The statement of a database's entries from `from` to `to`. `entries` are all that the log has of it, in its order; `attest` proves one of them under the
 * checkpoint that most speaks for it. Throws `NameUnknown` when the period has none.
 */
export const buildPeriodStatement = async (options: {
  readonly log: Log;
  readonly entries: readonly IndexedEntry[];
  readonly database: { readonly name: string; readonly salt: string };
  readonly from: string;
  readonly to: string;
  readonly attest: (index: number) => Promise<ProofBundle>;
}): Promise<PeriodStatement> => {
  const { log, entries, database, from, to, attest } = options;
  const inside = entries.flatMap(({ entry: { time } }, at) => (time >= from && time <= to ? [at] : []));
  const [first, last] = [inside[0], inside.at(-1)];
  if (first === undefined || last === undefined) {
    throw new Failure("NameUnknown", `the log ${log.origin} has no entry of ${database.name} from ${from} to ${to}`);
  }
  const [before, after] = [entries[first - 1], entries[last + 1]];
  const { checkpoint, anchors, timestamps, consistency } = await attest((after ?? entries[last]!).index);
  const size = Number(checkpoint.split("\n")[1]);
  const proven = async ({ entry, index }: IndexedEntry): Promise<ProvenEntry> => ({
    entry,
    index,
    inclusion: (await log.inclusionProof(index, size)).map(toHex),
  });
  const shown: ProvenEntry[] = [];
  for (const one of entries.slice(first, last + 1)) shown.push(await proven(one));
  return {
    format: "dbgov-period",
    version: 1,
    database,
    from,
    to,
    entries: shown,
    ...(before === undefined ? {} : { before: await proven(before) }),
    ...(after === undefined ? {} : { after: await proven(after) }),
    checkpoint,
    anchors,
    ...(timestamps === undefined ? {} : { timestamps }),
    ...(consistency === undefined ? {} : { consistency }),
  };
};
