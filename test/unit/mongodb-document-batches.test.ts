import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BSON } from "mongodb";
import { type DocumentBatch, documentBatches, documentsIn } from "../../core/databases/mongodb/document-batches.ts";
import { isFailure } from "../../core/domain/failure.ts";

/** Blocks of the given sizes, each wiped once the next is asked for, as a reader may do. */
async function* blocksOf(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length]!;
    const block = Buffer.from(bytes.subarray(at, at + size));
    yield block;
    block.fill(0xff);
    at += size;
  }
}

const collect = async (content: AsyncIterable<Uint8Array>, limits: { bytes: number; documents: number }): Promise<DocumentBatch[]> => {
  const batches: DocumentBatch[] = [];
  for await (const batch of documentBatches(content, limits)) batches.push(batch);
  return batches;
};

test("wherever the blocks end, the batches hold the same documents within the limits", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ maxLength: 90 }), { maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 32, max: 300 }),
      fc.integer({ min: 1, max: 7 }),
      async (texts, sizes, bytes, documents) => {
        const written = texts.map((text, index) => Buffer.from(BSON.serialize({ _id: index, text })));
        const batches = await collect(blocksOf(Buffer.concat(written), sizes), { bytes, documents });
        const read = batches.flatMap((batch) => [...documentsIn(batch)]);
        assert.deepEqual(read, written);
        for (const batch of batches) {
          assert.equal(batch.documents, [...documentsIn(batch)].length);
          assert.ok(batch.documents <= documents);
          assert.ok(batch.bytes.length <= bytes || batch.documents === 1);
        }
      },
    ),
  );
});

test("content that is no run of whole documents is refused", async () => {
  const whole = Buffer.from(BSON.serialize({ _id: 1 }));
  const noEnd = Buffer.from(whole);
  noEnd[noEnd.length - 1] = 7;
  for (const [bytes, why] of [
    [whole.subarray(0, -1), /middle of a document/],
    [Buffer.concat([whole, whole.subarray(0, 2)]), /middle of a document/],
    [Buffer.from([1, 0, 0, 0, 0]), /no run of BSON documents/],
    [Buffer.from([255, 255, 255, 255, 0]), /no run of BSON documents/],
    [noEnd, /does not end as one/],
  ] as const)
    await assert.rejects(collect(blocksOf(bytes, [3]), { bytes: 64, documents: 10 }), (error) => {
      assert.ok(isFailure(error, "RestoreFailed"));
      assert.match(error.message, why);
      return true;
    });
});
