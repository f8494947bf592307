import { knownLogSize } from "../catalog/known-log-size.ts";
import { withAdvisoryLock } from "../catalog/locks.ts";
import { nextSequence } from "../catalog/next-sequence.ts";
import { findLogEntries } from "../catalog/read-log-entries.ts";
import { recordCheckpoint, recordPublished } from "../catalog/record-checkpoint.ts";
import { recordLogEntries } from "../catalog/record-log-entry.ts";
import { commit, type EntryBody } from "../ledger/entries.ts";
import type { Site } from "./site.ts";
import { openLogToAppend } from "./site-log.ts";

export interface LogEvent {
  /** The same in every retry, so that it is logged once. */
  readonly identity: string;
  readonly database: string | null;
  readonly body: EntryBody;
}

/** The commitment that stands for a database's name in the log. The same for all its entries, so that they count up together. */
export const databaseCommitment = async (site: Site, database: string): Promise<string> =>
  commit(database, await site.logNameSalt(database));

/**
 * Appends events to the log, one writer at a time in the whole organization, and notes in the catalog where they are. `onHealed` is told
 * which objects of a damaged log were replaced before.
 */
export const appendEvents = async (
  site: Site,
  events: readonly LogEvent[],
  signal: AbortSignal,
  onHealed: (keys: readonly string[]) => void,
): Promise<{ index: number; size: number }[]> => {
  const { origin, witnessQuorum } = site.loaded.config.log;
  const catalog = await site.catalog();
  return await withAdvisoryLock(catalog, `log ${origin}`, signal, async (locked) => {
    const log = await openLogToAppend(site, locked, onHealed);
    const nameOf = new Map<string, string | null>([["", null]]);
    for (const { database } of events) if (database !== null) nameOf.set(await databaseCommitment(site, database), database);
    const known = await findLogEntries(
      catalog,
      events.map(({ identity }) => identity),
    );
    const { entries, checkpoint } = await log.append(
      events.map(({ identity, body }) => ({ identity, body })),
      {
        size: await knownLogSize(catalog),
        find: (identity) => Promise.resolve(known.get(identity)),
        lastSequence: async (commitment) => (await nextSequence(catalog, nameOf.get(commitment) ?? null)) - 1,
      },
    );
    await recordLogEntries(
      catalog,
      entries.map(({ index, sequence, hash }, at) => {
        const { identity, database, body } = events[at] as LogEvent;
        return { identity, index, kind: body.kind, database, sequence, entryHash: hash, at: body.time };
      }),
    );
    const root = Buffer.from(checkpoint.root).toString("hex");
    await recordCheckpoint(catalog, { origin, size: checkpoint.size, root, note: checkpoint.note, at: new Date() });
    if (witnessQuorum === 0) await recordPublished(catalog, origin, checkpoint.size, checkpoint.note, new Date());
    return entries.map(({ index }) => ({ index, size: checkpoint.size }));
  });
};
