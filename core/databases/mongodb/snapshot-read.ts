import { type Document, MongoServerError, Timestamp } from "mongodb";
import { Failure } from "../../domain/failure.ts";
import { type CatalogEntry, roleOf } from "./catalog.ts";
import type { Connection } from "./connection.ts";

/** The token of a hold that holds nothing. */
export const noSnapshot = "none";

export const tokenOf = (time: Timestamp): string =>
  JSON.stringify({ atClusterTime: { t: time.getHighBitsUnsigned(), i: time.getLowBitsUnsigned() } });

/** The read concern that reads under a token; undefined for none. */
export function readConcernOf(token: string): Document | undefined {
  if (token === noSnapshot) return undefined;
  try {
    const { t, i } = (JSON.parse(token) as { atClusterTime: { t: number; i: number } }).atClusterTime;
    return { level: "snapshot", atClusterTime: new Timestamp({ t, i }) };
  } catch (cause) {
    throw new Failure("Unexpected", "The token is not one of a MongoDB hold.", { cause });
  }
}

/**
 * A point in time that the server really reads at, or undefined where it does not. Servers exist that accept a read
 * concern and ignore it, so three answers are asked for, none of which writes anything: a snapshot read must come with
 * its `atClusterTime`; a read at that time must say the same time; and a read at the beginning of time, which no
 * server has the history for, must be refused.
 */
export async function provenSnapshotTime(connection: Connection, collection: string): Promise<Timestamp | undefined> {
  const readAt = async (readConcern: Document): Promise<unknown> => {
    const command = { find: collection, projection: { _id: 1 }, limit: 1, singleBatch: true, readConcern };
    return (await connection.db.command(command)).cursor?.atClusterTime;
  };
  try {
    const time = await readAt({ level: "snapshot" });
    if (!(time instanceof Timestamp)) return undefined;
    const again = await readAt({ level: "snapshot", atClusterTime: time });
    if (!(again instanceof Timestamp) || !again.equals(time)) return undefined;
    return (await refuses(() => readAt({ level: "snapshot", atClusterTime: new Timestamp({ t: 1, i: 1 }) }))) ? time : undefined;
  } catch (error) {
    // A standalone server, or one before 5.0, says that it has no such read concern.
    if (error instanceof MongoServerError && error.code !== 13) return undefined;
    throw error;
  }
}

async function refuses(read: () => Promise<unknown>): Promise<boolean> {
  try {
    await read();
    return false;
  } catch (error) {
    if (error instanceof MongoServerError) return true;
    throw error;
  }
}

/** Capped collections cannot be read at a snapshot on every version that has snapshot reads. */
export const isCapped = (entry: CatalogEntry, options: Document): boolean => entry.type === "collection" && Boolean(options.capped);

/** A collection to try a snapshot read on: an ordinary one of the users. */
export const trialCollection = (catalog: readonly CatalogEntry[], optionsOf: (entry: CatalogEntry) => Document): CatalogEntry | undefined =>
  catalog.find((entry) => entry.type === "collection" && roleOf(entry, catalog) === "rows" && !isCapped(entry, optionsOf(entry)));
