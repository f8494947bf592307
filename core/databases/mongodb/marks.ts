import { createHash } from "node:crypto";
import type { CatalogEntry } from "./catalog.ts";
import { type Connection, greet } from "./connection.ts";
import { type ClusterTime, timeOf } from "./snapshot-read.ts";

/** What is kept of a collection so that a later snapshot can ask the change stream what has happened to it since (`unchanged.ts`). */
export interface CollectionMark {
  /** Nothing was read before this time. */
  readonly time: ClusterTime;
  /**
   * The replica set, and the very process that was its primary. A process that still runs cannot have been set back to an older copy of
   * its files, whose history would lack what the snapshot saw; a failover or a restart costs one full read.
   */
  readonly server: string;
  /** The collection's identity and options: another one of its name, or one that was modified, is read. */
  readonly collection: string;
}

/** As marks name a server: asked anew each time, for a connection outlives a failover. Undefined for what is no replica set. */
export async function primaryOf({ db }: Connection): Promise<string | undefined> {
  const { setName, topologyVersion } = await greet(db);
  return setName === undefined || topologyVersion?.processId === undefined ? undefined : `${setName}/${String(topologyVersion.processId)}`;
}

/**
 * The mark of a stream; undefined where a change stream does not tell of it: on what is no replica set, for the server's own collections
 * and time series, and where others than the primary are read without a snapshot, which may lag behind the time.
 */
export function markOf(
  { client }: Connection,
  server: string | undefined,
  entry: CatalogEntry,
  token: string,
  snapshot: boolean,
): CollectionMark | undefined {
  const time = timeOf(token);
  if (time === undefined || server === undefined || entry.uuid === undefined) return undefined;
  if (entry.type !== "collection" || entry.name.startsWith("system.")) return undefined;
  if (!snapshot && client.readPreference.mode !== "primary") return undefined;
  const options = createHash("sha256").update(entry.options).digest("base64url");
  return { time, server, collection: `${entry.uuid}/${options}` };
}
