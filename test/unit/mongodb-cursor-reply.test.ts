import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BSON } from "mongodb";
import { documentBlocks, parseCursorReply } from "../../core/databases/mongodb/cursor-reply.ts";
import { isFailure } from "../../core/domain/failure.ts";

const document = fc.record({ _id: fc.integer(), text: fc.string({ maxLength: 40 }), list: fc.array(fc.double(), { maxLength: 4 }) });
const cursorOf = (batch: object[], extra: object = {}): Buffer =>
  Buffer.from(BSON.serialize({ nextBatch: batch, id: BSON.Long.fromNumber(42), ns: "shop.orders", ...extra }));

test("blocks hold the documents' very bytes in their order, and none exceeds its size but for one document", () => {
  fc.assert(
    fc.property(fc.array(document, { maxLength: 30 }), fc.integer({ min: 16, max: 400 }), (batch, size) => {
      const cursor = cursorOf(batch, { atClusterTime: new BSON.Timestamp({ t: 1, i: 1 }), partialResultsReturned: false });
      const reply = parseCursorReply(cursor);
      assert.equal(reply.id, 42n);
      const documents = batch.map((each) => Buffer.from(BSON.serialize(each)));
      const blocks: Buffer[] = [];
      for (const block of documentBlocks(cursor, reply, Buffer.alloc(size))) {
        assert.ok(block.length <= size || documents.some((each) => each.equals(block)));
        blocks.push(Buffer.from(block));
      }
      assert.ok(Buffer.concat(blocks).equals(Buffer.concat(documents)));
    }),
  );
});

test("a reply that is cut off or altered in its lengths is refused", () => {
  const cursor = cursorOf([{ _id: 1, text: "some text" }]);
  const read = (bytes: Buffer): void => {
    const reply = parseCursorReply(bytes);
    for (const _ of documentBlocks(bytes, reply, Buffer.alloc(64)));
  };
  read(cursor);
  const noId = Buffer.from(BSON.serialize({ nextBatch: [] }));
  const noBatch = Buffer.from(BSON.serialize({ id: BSON.Long.ZERO }));
  const inside = Buffer.from(cursor);
  inside.writeInt32LE(9_999, cursor.indexOf("0\0", 20) + 2);
  for (const bytes of [noId, noBatch, inside])
    assert.throws(
      () => read(bytes),
      (error) => isFailure(error, "Unexpected"),
    );
  assert.throws(
    () => read(Buffer.from(BSON.serialize({ id: BSON.Long.ZERO, nextBatch: [1] }))),
    (error) => isFailure(error, "Unexpected"),
  );
});
