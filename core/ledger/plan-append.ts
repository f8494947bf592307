import { Failure } from "../domain/failure.ts";
import { type EntryDraft, sealEntry, sequenceOf } from "./entries.ts";
import type { LogState } from "./log-state.ts";
import { type IndexedEntry, readEntries, readEntry } from "./read-entries.ts";
import { entryIdentity } from "./verify/entry.ts";
import { leafHash, toHex } from "./verify/hash.ts";

export interface AppendedEntry {
  readonly index: number;
  /** The leaf hash, as hex. */
  readonly hash: string;
  readonly sequence: number;
  /** False when the log held the event already. */
  readonly fresh: boolean;
}

/** What the catalog knows of the log, so that an append reads only the entries after it. Without it all entries are read. */
export interface KnownEntries {
  /** Every entry below this index is in the catalog. */
  readonly size: number;
  find(identity: string): Promise<{ readonly index: number } | undefined>;
  /** The highest sequence among the known entries of `database` (its commitment, or ""), 0 when there is none. */
  lastSequence(database: string): Promise<number>;
}

export const nothingKnown: KnownEntries = {
  size: 0,
  find: () => Promise.resolve(undefined),
  lastSequence: () => Promise.resolve(0),
};

/** Which drafts are logged already, and the bytes of those that are not. Each gets the next number of its database's sequence. */
export const planAppend = async (
  state: LogState,
  drafts: readonly EntryDraft[],
  known: KnownEntries,
): Promise<{ planned: AppendedEntry[]; bytes: Uint8Array[] }> => {
  const { size } = state.checkpoint;
  const { logged, sequences } = await readUnknown(state, known);
  const planned: AppendedEntry[] = [];
  const bytes: Uint8Array[] = [];
  for (const draft of drafts) {
    const existing = logged.get(entryIdentity(draft.identity)) ?? (await findKnown(state, draft.identity, known));
    if (existing !== undefined) {
      planned.push(existing);
      continue;
    }
    const counter = sequenceOf(draft.body);
    const sequence = (sequences.get(counter) ?? (await known.lastSequence(counter))) + 1;
    const sealed = sealEntry(draft, sequence);
    const entry = { index: size + bytes.length, hash: toHex(leafHash(sealed)), sequence, fresh: true };
    sequences.set(counter, sequence);
    bytes.push(sealed);
    planned.push(entry);
    logged.set(entryIdentity(draft.identity), { ...entry, fresh: false });
  }
  return { planned, bytes };
};

/** The entries that the catalog has not recorded (yet), by identity, and the last sequence of each database among them. */
const readUnknown = async (state: LogState, known: KnownEntries) => {
  const { checkpoint, place } = state;
  if (known.size > checkpoint.size) {
    throw new Failure(
      "LedgerCorrupt",
      `the log ${place.origin} in store ${place.store.name} has ${checkpoint.size} entries, and the catalog knows of ${known.size}`,
    );
  }
  const logged = new Map<string, AppendedEntry>();
  const sequences = new Map<string, number>();
  for await (const found of readEntries(state, known.size, checkpoint.size)) {
    logged.set(found.entry.identity, placeOf(found));
    sequences.set(sequenceOf(found.entry), found.entry.sequence);
  }
  return { logged, sequences };
};

const findKnown = async (state: LogState, identity: string, known: KnownEntries): Promise<AppendedEntry | undefined> => {
  const place = await known.find(identity);
  if (place === undefined) return undefined;
  const found = await readEntry(state, place.index);
  if (found.entry.identity === entryIdentity(identity)) return placeOf(found);
  throw new Failure(
    "LedgerCorrupt",
    `entry ${place.index} of the log ${state.place.origin} is not the event that the catalog has recorded there`,
  );
};

const placeOf = ({ index, hash, entry }: IndexedEntry): AppendedEntry => ({ index, hash, sequence: entry.sequence, fresh: false });
