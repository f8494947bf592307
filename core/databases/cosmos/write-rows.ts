import type { Connection } from "./connection.ts";
import { documentOf, partitionKeyOf } from "./documents.ts";
import type { RowsTarget } from "./plan.ts";
import { rowsIn } from "./rows.ts";

/** So many documents are on their way at once; the budget's lanes let fewer through where it is small. */
const underWayAtMost = 8;

/**
 * Writes each row's document as it is, one by one, since the interface has nothing larger that spans partition keys. A call
 * that fails leaves what it wrote; called again with the same content it completes that and doubles nothing.
 */
export async function writeRows(
  connection: Connection,
  target: RowsTarget & { readonly rid: string },
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let failed: { readonly error: unknown } | undefined;
  const write = async (document: Buffer): Promise<void> => {
    await connection.send(
      {
        method: "POST",
        repeatable: true,
        resource: ["colls", target.container, "docs"],
        headers: {
          "x-ms-documentdb-is-upsert": "true",
          "x-ms-documentdb-partitionkey": partitionKeyOf(document, target.partitionKey),
        },
        body: document,
      },
      connection.budget(target.rid),
      signal,
    );
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
