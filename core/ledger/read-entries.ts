import { Failure } from "../domain/failure.ts";
import type { LogEntry } from "./entries.ts";
import { type LogState, verifiedEntries } from "./log-state.ts";
import { tileWidth } from "./tiles.ts";
import { parseEntry } from "./verify/entry.ts";
import { leafHash, toHex } from "./verify/hash.ts";

export interface IndexedEntry {
  readonly index: number;
  /** The leaf hash, as hex. */
  readonly hash: string;
  readonly entry: LogEntry;
}

export const readEntry = async (state: LogState, index: number): Promise<IndexedEntry> => {
  if (!Number.isSafeInteger(index) || index < 0 || index >= state.checkpoint.size) {
    throw new Failure("NameUnknown", `the log ${state.place.origin} has no entry ${index}`);
  }
  const bundle = await verifiedEntries(state, Math.floor(index / tileWidth));
  return readable(state, index, bundle[index % tileWidth]!);
};

export async function* readEntries(state: LogState, from: number, to: number): AsyncIterable<IndexedEntry> {
  for (let index = from; index < to; ) {
    const bundle = await verifiedEntries(state, Math.floor(index / tileWidth));
    for (const bytes of bundle.slice(index % tileWidth, to - index + (index % tileWidth))) yield readable(state, index++, bytes);
  }
}

const readable = (state: LogState, index: number, bytes: Uint8Array): IndexedEntry => {
  const entry = parseEntry(bytes);
  if ("reason" in entry && "part" in entry) {
    throw new Failure("LedgerCorrupt", `entry ${index} of the log ${state.place.origin}: ${entry.part} ${entry.reason}`);
  }
  return { index, hash: toHex(leafHash(bytes)), entry: entry as LogEntry };
};
