import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { BSON, type Document } from "mongodb";
import { documentBlocks, parseCursorReply } from "../../core/databases/mongodb/cursor-reply.ts";
import { documentBatches } from "../../core/databases/mongodb/document-batches.ts";
import { idOf, orderedDocument } from "../../core/databases/mongodb/ordered-bson.ts";
import { insertCommand } from "../../core/databases/mongodb/raw-insert.ts";
import { vectors } from "./mongodb-bson-vectors.ts";

const { OpMsgRequest } = createRequire(import.meta.url)("mongodb/lib/cmap/commands.js") as {
  OpMsgRequest: new (database: string, command: Document, options: object) => { toBin(): Promise<Uint8Array[]> | Uint8Array[] };
};

test("the vectors are well-formed BSON", () => {
  for (const [name, bytes] of Object.entries(vectors)) {
    assert.equal(bytes.readInt32LE(0), bytes.length, name);
    assert.equal([...BSON.onDemand.parseToElements(bytes, 0)].length, 2, name);
    assert.deepEqual(idOf(bytes), new BSON.Int32(7), name);
  }
});

for (const [name, bytes] of Object.entries(vectors))
  test(`${name}: the bytes that are read are the bytes that an insert sends`, async () => {
    const array = Buffer.concat([Buffer.alloc(4), Buffer.from([0x03, 0x30, 0]), bytes, Buffer.from([0])]);
    array.writeInt32LE(array.length, 0);
    const head = Buffer.from("\0\0\0\0\x12id\0\0\0\0\0\0\0\0\0\x04firstBatch\0", "latin1");
    const cursor = Buffer.concat([head, array, Buffer.from([0])]);
    cursor.writeInt32LE(cursor.length, 0);
    const blocks = [...documentBlocks(cursor, parseCursorReply(cursor), Buffer.alloc(4_096))].map((block) => Buffer.from(block));
    const [batch] = await Array.fromAsync(
      documentBatches(
        (async function* () {
          yield* blocks;
        })(),
        { bytes: 4_096, documents: 10 },
      ),
    );
    const message = Buffer.concat(await new OpMsgRequest("shop", insertCommand("orders", batch!), {}).toBin());
    assert.equal(message.readInt32LE(0), message.length);
    // After the body (section of kind 0) comes the section of kind 1: its size, its name, the documents.
    const section = 21 + message.readInt32LE(21);
    assert.equal(message[section], 1);
    assert.equal(message.readInt32LE(section + 1), message.length - section - 1);
    assert.equal(message.toString("latin1", section + 5, section + 15), "documents\0");
    assert.ok(message.subarray(section + 15).equals(bytes));
    assert.deepEqual(Object.keys(BSON.deserialize(message.subarray(21, section))), ["insert", "ordered", "writeConcern", "$db"]);
  });

test("an ordered document serializes to its bytes, numbers-like keys included", () => {
  for (const name of [
    "double",
    "document with keys like numbers",
    "int64 that fits an int32",
    "date before 1970",
    "binary, subtype 2",
    "MinKey",
  ]) {
    const bytes = vectors[name]!;
    assert.ok(Buffer.from(BSON.serialize(orderedDocument(bytes))).equals(bytes), name);
  }
});
