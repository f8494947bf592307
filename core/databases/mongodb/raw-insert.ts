import { createRequire } from "node:module";
import type { Document } from "mongodb";
import { Failure } from "../../domain/failure.ts";
import type { Connection } from "./connection.ts";
import { type DocumentBatch, documentsIn } from "./document-batches.ts";
import { serverWords } from "./failures.ts";
import { idOf } from "./ordered-bson.ts";
import { findRaw } from "./raw-cursor.ts";

interface DocumentSequence {
  push(document: Document, bytes: Uint8Array): number;
}

/**
 * The driver's own carrier of already serialized documents (OP_MSG section of kind 1). It is not among its exports, but
 * nothing that is can send a document as it was stored: repeated keys, the order of keys like "10", the payload of a
 * NaN and the deprecated types do not survive JavaScript objects. The driver's version is pinned, and a test watches the wire.
 */
const { DocumentSequence: Sequence } = createRequire(import.meta.url)("mongodb/lib/cmap/commands.js") as {
  DocumentSequence: new (field: string) => DocumentSequence;
};

const duplicateKey = 11000;
const compareAtOnce = { documents: 500, bytes: 4 << 20 };

/**
 * Inserts the documents byte for byte. One that is there already, with the very same bytes, counts as inserted, so
 * that a batch whose answer was lost can be sent again; another document under the same `_id` is a `RestoreFailed`.
 */
export async function insertRaw(connection: Connection, collection: string, batch: DocumentBatch, signal: AbortSignal): Promise<void> {
  const reply = await connection.run(insertCommand(collection, batch), { signal });
  const refused = (reply.writeErrors ?? []) as { index: number; code: number; errmsg?: string }[];
  const other = refused.find(({ code }) => code !== duplicateKey);
  const where = `collection ${JSON.stringify(collection)} of ${connection.address.label}`;
  if (other !== undefined)
    throw new Failure("RestoreFailed", `The server refused ${refused.length} documents for ${where}: ${serverWords(other)}.`, {
      cause: other,
    });
  if (reply.writeConcernError !== undefined)
    throw new Failure("RestoreFailed", `The server could not make documents of ${where} durable: ${serverWords(reply.writeConcernError)}.`);
  if (refused.length === 0) return;
  const indexes = new Set(refused.map(({ index }) => index));
  await requireIdentical(
    connection,
    collection,
    [...documentsIn(batch)].filter((_, index) => indexes.has(index)),
    signal,
  );
}

/** The command as it goes out; `documents` travels beside it, uninterpreted. */
export function insertCommand(collection: string, batch: DocumentBatch): Document {
  const documents = new Sequence("documents");
  documents.push({}, batch.bytes);
  return { insert: collection, documents, ordered: false, writeConcern: { w: "majority" } };
}

async function requireIdentical(
  connection: Connection,
  collection: string,
  documents: readonly Buffer[],
  signal: AbortSignal,
): Promise<void> {
  for (let from = 0; from < documents.length; ) {
    let to = from;
    let bytes = 0;
    while (to < documents.length && to - from < compareAtOnce.documents && bytes < compareAtOnce.bytes) bytes += documents[to++]!.length;
    const asked = documents.slice(from, to);
    const found = new Set<string>();
    const filter = { _id: { $in: asked.map(idOf) } };
    for await (const block of findRaw(connection, { collection, filter }, signal)) {
      const held = { bytes: Buffer.from(block.buffer, block.byteOffset, block.byteLength), documents: 0 };
      for (const document of documentsIn(held)) found.add(document.toString("latin1"));
    }
    if (!asked.every((document) => found.has(document.toString("latin1"))))
      throw new Failure(
        "RestoreFailed",
        `Collection ${JSON.stringify(collection)} of ${connection.address.label} holds another document under an _id of the snapshot.`,
      );
    from = to;
  }
}
