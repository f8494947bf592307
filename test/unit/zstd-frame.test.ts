import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { constants, zstdCompressSync } from "node:zlib";
import { withCompressor } from "../../core/repository/compressor.ts";
import { frameExtent } from "../../core/repository/zstd-frame.ts";

const text = (bytes: number): Buffer => Buffer.alloc(bytes, "a line of text that repeats itself, with a number 12345\n");
const frame = (content: Uint8Array, level = 1): Buffer =>
  zstdCompressSync(content, { pledgedSrcSize: content.length, params: { [constants.ZSTD_c_compressionLevel]: level } });
const sizes = [1, 255, 256, 300, 65_791, 65_792, 200_000, 600_000];

test("a whole frame is measured, of any size and level, compressible or not", () => {
  for (const size of sizes) {
    for (const content of [text(size), randomBytes(size), Buffer.alloc(size)]) {
      for (const level of [1, 3, 9]) {
        const bytes = frame(content, level);
        assert.deepEqual(frameExtent(bytes), { end: bytes.length, contentBytes: size });
        assert.deepEqual(frameExtent(Buffer.concat([bytes, frame(text(10))])), { end: bytes.length, contentBytes: size });
      }
    }
  }
});

test("a frame that is cut off anywhere, or is none, is not", () => {
  const bytes = frame(text(300));
  for (let length = 0; length < bytes.length; length += 1)
    assert.equal(frameExtent(bytes.subarray(0, length)), undefined, `${length} bytes`);
  assert.equal(frameExtent(randomBytes(64)), undefined);
});

test("the compressor gives one whole frame for each content, however many fill its memory", async () => {
  await withCompressor(1, async (compressor) => {
    for (let round = 0; round < 60; round += 1) {
      const content = Buffer.concat([text(40_000 + round * 1_013), randomBytes(8_000 + round)]);
      const compressed = await compressor.compress(content);
      assert.deepEqual(compressed && frameExtent(compressed), { end: compressed?.length, contentBytes: content.length });
    }
  });
});
