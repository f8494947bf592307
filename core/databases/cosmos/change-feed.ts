import type { PartitionRange } from "./catalog.ts";
import type { Connection } from "./connection.ts";
import type { Reply } from "./exchange.ts";
import { CosmosError } from "./failures.ts";
import { itemsOf } from "./feed.ts";

/** A container's partition whose changes are asked for. */
export interface Followed {
  readonly container: string;
  readonly rid: string;
  readonly range: PartitionRange;
}

/** Asks for what changed behind `etag` (`*`: now; undefined: the beginning), as "List (ReadFeed) Documents" of the REST reference has it. */
const ask = (connection: Connection, { container, rid, range }: Followed, etag: string | undefined, signal: AbortSignal): Promise<Reply> =>
  connection.send(
    {
      method: "GET",
      resource: ["colls", container, "docs"],
      headers: {
        "a-im": "Incremental feed",
        "x-ms-max-item-count": "1",
        ...connection.headersFor(container, range.id),
        ...(etag === undefined ? {} : { "if-none-match": etag }),
      },
    },
    connection.budget(rid, range),
    signal,
  );

/**
 * Whether the server's change feed is one: behind the first of several documents, the second must come. Emulators answer
 * that nothing has changed, whatever they are asked. `undefined`: too few documents to tell.
 */
export async function followsChanges(connection: Connection, followed: Followed, signal: AbortSignal): Promise<boolean | undefined> {
  const first = await ask(connection, followed, undefined, signal);
  const etag = first.headers.get("etag");
  const items = first.status === 304 ? [] : itemsOf(first.body, "Documents");
  if (etag === null || items.length > 1) return false; // it does not heed the size of a page either
  if (items.length === 0) return undefined;
  const second = await ask(connection, followed, etag, signal);
  if (second.status === 304) return (await countOf(connection, followed, undefined, signal)) === 1 ? undefined : false;
  const [next] = itemsOf(second.body, "Documents");
  return next !== undefined && !next.equals(items[0]!);
}

/** A place in a partition's change feed. */
export interface Position {
  readonly etag: string;
  /** The session token of the replica that told it; null where the server has no such tokens. */
  readonly session: string | null;
}

/** Where the feed stands now. */
export async function feedPosition(connection: Connection, followed: Followed, signal: AbortSignal): Promise<Position | undefined> {
  const { status, headers } = await ask(connection, followed, "*", signal);
  const etag = headers.get("etag");
  return status === 304 && etag !== null ? { etag, session: headers.get("x-ms-session-token") } : undefined;
}

/** Whether nothing was created or replaced behind that position. Deletions are not in the feed. */
export async function nothingWritten(connection: Connection, followed: Followed, etag: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await ask(connection, followed, etag, signal)).status === 304;
  } catch (error) {
    // A position that the server no longer knows, as after a split.
    if (error instanceof CosmosError && [400, 410, 412].includes(error.status)) return false;
    throw error;
  }
}

/** How many documents the partition holds, or how many written at `since` (seconds since 1970) or later; undefined when the server's answer is no number. */
export async function countOf(
  connection: Connection,
  { container, rid, range }: Followed,
  since: number | undefined,
  signal: AbortSignal,
): Promise<number | undefined> {
  const query = `SELECT VALUE COUNT(1) FROM c${since === undefined ? "" : ` WHERE c._ts >= ${since}`}`;
  let total = 0;
  let continuation: string | null = null;
  do {
    const reply: Reply = await connection.send(
      {
        method: "POST",
        repeatable: true,
        resource: ["colls", container, "docs"],
        headers: {
          "content-type": "application/query+json",
          "x-ms-documentdb-isquery": "true",
          "x-ms-documentdb-query-enablecrosspartition": "true",
          ...connection.headersFor(container, range.id),
          ...(continuation === null ? {} : { "x-ms-continuation": continuation }),
        },
        body: Buffer.from(JSON.stringify({ query, parameters: [] })),
      },
      connection.budget(rid, range),
      signal,
    );
    for (const item of itemsOf(reply.body, "Documents")) {
      const count = Number(item.toString("utf8"));
      if (!Number.isSafeInteger(count)) return undefined;
      total += count;
    }
    continuation = reply.headers.get("x-ms-continuation");
  } while (continuation !== null && continuation !== "");
  return total;
}
