import { type Document, MongoServerError, Timestamp } from "mongodb";
import { Failure } from "../../domain/failure.ts";
import { type CatalogEntry, roleOf } from "./catalog.ts";
import type { Connection } from "./connection.ts";
import { isUnreachable } from "./failures.ts";
import { typedDocument } from "./ordered-bson.ts";
import { isThrottled } from "./throttling.ts";

/** The token of a hold of a server that has neither snapshots nor a time of its own. */
export const noSnapshot = "none";

/** A point of the cluster's time, as JSON. */
export interface ClusterTime {
  readonly t: number;
  readonly i: number;
}

const clusterTime = (time: Timestamp): ClusterTime => ({ t: time.getHighBitsUnsigned(), i: time.getLowBitsUnsigned() });
export const timestampOf = ({ t, i }: ClusterTime): Timestamp => new Timestamp({ t, i });

/** Everything is read at this time. */
export const tokenOf = (time: Timestamp): string => JSON.stringify({ atClusterTime: clusterTime(time) });

/** Everything is read at some moment after this time, which a majority has reached: for servers that cannot read at one. */
export const clockTokenOf = (time: Timestamp): string => JSON.stringify({ operationTime: clusterTime(time) });

function parsed(token: string): { readonly atClusterTime?: ClusterTime; readonly operationTime?: ClusterTime } {
  if (token === noSnapshot) return {};
  try {
    const times = JSON.parse(token) as ReturnType<typeof parsed>;
    timestampOf((times.atClusterTime ?? times.operationTime)!);
    return times;
  } catch (cause) {
    throw new Failure("Unexpected", "The token is not one of a MongoDB hold.", { cause });
  }
}

/** The read concern that reads under a token; undefined for none. */
export function readConcernOf(token: string): Document | undefined {
  const { atClusterTime } = parsed(token);
  return atClusterTime === undefined ? undefined : { level: "snapshot", atClusterTime: timestampOf(atClusterTime) };
}

/**
 * The read concern of a part: at the snapshot's time, or, where there is a time but no reading at it, of what a majority has. What a
 * minority has may be rolled back, and no change stream would tell.
 */
export const partReadConcern = (token: string, snapshot: boolean): Document | undefined =>
  snapshot ? readConcernOf(token) : timeOf(token) === undefined ? undefined : { level: "majority" };

/** A time that nothing is read before. */
export function timeOf(token: string): ClusterTime | undefined {
  const { atClusterTime, operationTime } = parsed(token);
  return atClusterTime ?? operationTime;
}

/** The time that a majority of the replica set has reached; undefined where the server has no such time. */
export async function majorityTime(connection: Connection, collection: string): Promise<unknown> {
  const readConcern = { level: "majority" };
  try {
    return (await connection.run({ find: collection, projection: { _id: 1 }, limit: 1, singleBatch: true, readConcern })).operationTime;
  } catch (error) {
    if (error instanceof MongoServerError && !isUnreachable(error)) return undefined;
    throw error;
  }
}

/**
 * Whether a collection can be read at the token's time. Ordinary ones can; capped ones and time series cannot on every version that has
 * snapshot reads, so they are asked.
 */
export async function readsAt(connection: Connection, entry: CatalogEntry, token: string): Promise<boolean> {
  const readConcern = readConcernOf(token);
  if (readConcern === undefined) return false;
  if (entry.type === "collection" && !entry.name.startsWith("system.buckets.") && !isCapped(entry)) return true;
  const read = { find: entry.name, projection: { _id: 1 }, limit: 1, singleBatch: true, readConcern };
  return !(await refuses(() => connection.ask(read)));
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
    return (await connection.ask(command)).cursor?.atClusterTime;
  };
  try {
    const time = await readAt({ level: "snapshot" });
    if (!(time instanceof Timestamp)) return undefined;
    const again = await readAt({ level: "snapshot", atClusterTime: time });
    if (!(again instanceof Timestamp) || !again.equals(time)) return undefined;
    return (await refuses(() => readAt({ level: "snapshot", atClusterTime: new Timestamp({ t: 1, i: 1 }) }))) ? time : undefined;
  } catch (error) {
    // A standalone server, or one before 5.0, says that it has no such read concern.
    if (error instanceof MongoServerError && !notOfTheReadConcern.has(Number(error.code)) && !isThrottled(error)) return undefined;
    throw error;
  }
}

async function refuses(read: () => Promise<unknown>): Promise<boolean> {
  try {
    await read();
    return false;
  } catch (error) {
    // A missing permission, or a member that steps down, says nothing of the read concern.
    if (error instanceof MongoServerError && !notOfTheReadConcern.has(Number(error.code)) && !isThrottled(error)) return true;
    throw error;
  }
}

/** Unauthorized, and what a server says while it stops or changes its role. */
const notOfTheReadConcern = new Set([13, 91, 189, 10107, 11600, 11602, 13435]);

export const isCapped = (entry: CatalogEntry): boolean => entry.type === "collection" && Boolean(typedDocument(entry.options).capped);

/** A collection to try a snapshot read on: an ordinary one of the users. */
export const trialCollection = (catalog: readonly CatalogEntry[]): CatalogEntry | undefined =>
  catalog.find((entry) => entry.type === "collection" && roleOf(entry, catalog) === "rows" && !isCapped(entry));
