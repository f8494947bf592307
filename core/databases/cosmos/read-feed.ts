import { Failure } from "../../domain/failure.ts";
import type { PartitionRange } from "./catalog.ts";
import type { Connection } from "./connection.ts";
import { rowOf } from "./documents.ts";
import { isSplit } from "./failures.ts";
import { itemsOf, pagesOf } from "./feed.ts";
import { pageCharge } from "./request-units.ts";

interface Feed {
  readonly container: string;
  readonly rid: string;
  readonly range: PartitionRange;
}

const pageSizes = { first: 100, most: 1_000 } as const;

const documents = ({ container }: Feed) => ["colls", container, "docs"] as const;

/** The first documents of a partition. */
export async function readPage(connection: Connection, feed: Feed & { readonly size: number }, signal: AbortSignal): Promise<Buffer[]> {
  const headers = { ...connection.headersFor(feed.container, feed.range.id), "x-ms-max-item-count": String(feed.size) };
  const reply = await connection.send(
    { method: "GET", resource: documents(feed), headers },
    connection.budget(feed.rid, feed.range),
    signal,
  );
  return itemsOf(reply.body, "Documents");
}

/**
 * Every document of a partition, in the server's order, as `stamped` rows, a page in each block. Pages are as large as a
 * tenth of a second's budget pays for. A document that vanishes between two pages is not there; the server's continuation
 * does not depend on it.
 */
export async function* readRows(
  connection: Connection,
  feed: Feed,
  signal: AbortSignal,
  wanted: (document: Buffer) => boolean = () => true,
): AsyncGenerator<Buffer, void> {
  const budget = connection.budget(feed.rid, feed.range);
  // What a document costs is not known yet: seldom more than one unit.
  let size: number = Math.max(1, Math.min(pageSizes.first, Math.floor(pageCharge(budget))));
  const send = (headers: Record<string, string>) =>
    connection.send(
      { method: "GET", resource: documents(feed), headers: { ...connection.headersFor(feed.container, feed.range.id), ...headers } },
      budget,
      signal,
    );
  try {
    for await (const { items, reply } of pagesOf("Documents", send, () => size)) {
      const rows = items.filter(wanted).map(rowOf);
      if (rows.length > 0) yield Buffer.concat(rows);
      const fitting = Math.floor((Math.max(items.length, 1) * pageCharge(budget)) / Math.max(reply.charge, 0.01));
      // A page that was cheap because it was nearly empty must not be followed by one that is ten times too dear.
      size = Math.max(1, Math.min(fitting, size * 2, pageSizes.most));
    }
  } catch (error) {
    if (!isSplit(error)) throw error;
    throw new Failure(
      "DatabaseUnreachable",
      `Container ${JSON.stringify(feed.container)} of ${connection.address.label}: the server is splitting a partition that was being read; it is read again.`,
      { cause: error },
    );
  }
}
