import { Failure } from "../../domain/failure.ts";
import type { Connection } from "./connection.ts";
import { documentOf, partitionKeyOf, rowOf } from "./documents.ts";
import type { Request } from "./exchange.ts";
import { CosmosError, isMissing } from "./failures.ts";
import { compact, memberOf } from "./json-text.ts";
import type { RowsTarget } from "./plan.ts";
import { rowsIn } from "./rows.ts";

/** So many documents are on their way at once; the budget's lanes let fewer through where it is small. */
const underWayAtMost = 8;

/**
 * Writes each row's document as it is, one by one, since the interface has nothing larger that spans partition keys. A call
 * that fails leaves what it wrote; called again with the same content it completes that and doubles nothing. With `resuming`
 * what is there is not written again, which costs less: the same document is passed over, another one under its name is a `RestoreFailed`.
 */
export async function writeRows(
  connection: Connection,
  target: RowsTarget & { readonly rid: string; readonly resuming: boolean },
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let failed: { readonly error: unknown } | undefined;
  const headersOf = (document: Buffer) => ({ "x-ms-documentdb-partitionkey": partitionKeyOf(document, target.partitionKey) });
  const documents = ["colls", target.container, "docs"];
  const send = (request: Request) => connection.send(request, connection.budget(target.rid), signal);
  /** Why it cannot be created: the same is there, or another one, or another has a unique key of its. */
  const compareWithPresent = async (document: Buffer, refused: unknown): Promise<void> => {
    const id = String(JSON.parse(memberOf(document, "id")?.toString("utf8") ?? '""'));
    const reply = await send({ method: "GET", resource: [...documents, id], headers: headersOf(document) }).catch((error: unknown) => {
      throw isMissing(error) ? refused : error;
    });
    if (documentOf(rowOf(compact(reply.body))).equals(document)) return;
    const where = `Container ${JSON.stringify(target.container)} of ${connection.address.label}`;
    throw new Failure("RestoreFailed", `${where} holds another document under an id and partition key of the snapshot.`);
  };
  const write = async (document: Buffer): Promise<void> => {
    const headers = { ...headersOf(document), ...(target.resuming ? {} : { "x-ms-documentdb-is-upsert": "true" }) };
    try {
      await send({ method: "POST", repeatable: true, resource: documents, headers, body: document });
    } catch (error) {
      if (!target.resuming || !(error instanceof CosmosError) || error.status !== 409) throw error;
      await compareWithPresent(document, error);
    }
  };
  const settle = (): void => {
    if (failed !== undefined) throw failed.error;
  };
  try {
    for await (const row of rowsIn(content)) {
      settle();
      const writing: Promise<void> = write(documentOf(row))
        .catch((error: unknown) => {
          failed ??= { error };
        })
        .finally(() => underWay.delete(writing));
      underWay.add(writing);
      if (underWay.size >= underWayAtMost) await Promise.race(underWay);
    }
  } finally {
    await Promise.all(underWay);
  }
  settle();
}
