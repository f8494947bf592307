import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { BSON, type Document } from "mongodb";
import { documentBlocks, parseCursorReply } from "../../core/databases/mongodb/cursor-reply.ts";
import { documentBatches } from "../../core/databases/mongodb/document-batches.ts";
import { insertCommand } from "../../core/databases/mongodb/raw-insert.ts";

const { OpMsgRequest } = createRequire(import.meta.url)("mongodb/lib/cmap/commands.js") as {
  OpMsgRequest: new (database: string, command: Document, options: object) => { toBin(): Promise<Uint8Array[]> | Uint8Array[] };
};

/** What an insert sends of a document that a server's reply to `find` holds, with nothing but the server left out. */
export async function wireTrip(bytes: Buffer): Promise<Buffer> {
  const array = Buffer.concat([Buffer.alloc(4), Buffer.from([0x03, 0x30, 0]), bytes, Buffer.from([0])]);
  array.writeInt32LE(array.length, 0);
  const head = Buffer.from("\0\0\0\0\x12id\0\0\0\0\0\0\0\0\0\x04firstBatch\0", "latin1");
  const cursor = Buffer.concat([head, array, Buffer.from([0])]);
  cursor.writeInt32LE(cursor.length, 0);
  const blocks = [...documentBlocks(cursor, parseCursorReply(cursor), Buffer.alloc(4_096))].map((block) => Buffer.from(block));
  const content = async function* () {
    yield* blocks;
  };
  const [batch] = await Array.fromAsync(documentBatches(content(), { bytes: 4_096, documents: 10 }));
  const message = Buffer.concat(await new OpMsgRequest("shop", insertCommand("orders", batch!), {}).toBin());
  assert.equal(message.readInt32LE(0), message.length);
  // After the body (section of kind 0) comes the section of kind 1: its size, its name, the documents.
  const section = 21 + message.readInt32LE(21);
  assert.equal(message[section], 1);
  assert.equal(message.readInt32LE(section + 1), message.length - section - 1);
  assert.equal(message.toString("latin1", section + 5, section + 15), "documents\0");
  assert.deepEqual(Object.keys(BSON.deserialize(message.subarray(21, section))), ["insert", "ordered", "writeConcern", "$db"]);
  return message.subarray(section + 15);
}
