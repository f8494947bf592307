import { commit, type LogEntry, sequenceOf } from "../../ledger/entries.ts";
import { type IndexedEntry, openLog } from "../../ledger/log.ts";
import { entryIdentity } from "../../ledger/verify/entry.ts";
import type { Site } from "../site.ts";

/** An entry, with what the operator knows beside it: whose it is, and what the event was called where it came from. */
export interface KnownEntry extends IndexedEntry {
  readonly database: string | null;
  readonly identity: string;
}

/** How an event is named in the catalog whose name the log does not tell: by the log's own hash of it. */
export const hashedIdentity = (hash: string): string => `log/${hash}`;

/** The whole log, checked. `databases` are all names that its commitments may be of. */
export const readWholeLog = async (site: Site, databases: readonly string[], signal: AbortSignal): Promise<KnownEntry[]> => {
  const { origin, store } = site.loaded.config.log;
  const log = await openLog({ store: await site.store(store), origin, signer: await site.logSigner(), signal, unpublished: true });
  const names = new Map<string, string>();
  for (const name of databases) names.set(commit(name, await site.logNameSalt(name)), name);
  const entries: KnownEntry[] = [];
  for await (const found of log.entries()) {
    const commitment = sequenceOf(found.entry);
    const database = commitment === "" ? null : (names.get(commitment) ?? `unknown-${commitment.slice(0, 12)}`);
    entries.push({ ...found, database, identity: identityOf(found.entry) });
  }
  return entries;
};

const identityOf = (entry: LogEntry): string => {
  const guess = guessOf(entry);
  return guess !== undefined && entryIdentity(guess) === entry.identity ? guess : hashedIdentity(entry.identity);
};

/** As activities/anchor names its events, where all parts of the name are in the entry. */
const guessOf = (entry: LogEntry): string | undefined => {
  switch (entry.kind) {
    case "snapshot-sealed":
    case "snapshot-replicated":
    case "snapshot-verified":
    case "deleted":
      return `${entry.kind}/${entry.snapshot}`;
    case "snapshot-failed":
      return `${entry.kind}/${entry.run}/${entry.failure}`;
    default:
      return undefined;
  }
};
