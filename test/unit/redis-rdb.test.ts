import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { crc64 } from "../../core/databases/redis/rdb/crc64.ts";
import { writeDump } from "../../core/databases/redis/rdb/dump.ts";
import { readRdb } from "../../core/databases/redis/rdb/file.ts";
import { decompressLzf } from "../../core/databases/redis/rdb/lzf.ts";
import { listpack } from "../../core/databases/redis/rdb/packed.ts";
import { createStreamNodes } from "../../core/databases/redis/rdb/stream-payload.ts";
import { readBody, recordsIn } from "../../core/databases/redis/record-reader.ts";
import { createRecordWriter } from "../../core/databases/redis/record-writer.ts";
import { readStreamState, type StreamState } from "../../core/databases/redis/stream-state.ts";
import { isFailure } from "../../core/domain/failure.ts";

const string = (text: string | Buffer): Buffer => {
  const bytes = Buffer.from(text as string);
  return Buffer.concat([bytes.length < 64 ? Buffer.of(bytes.length) : Buffer.of(0x80, ...u32be(bytes.length)), bytes]);
};
const u32be = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const magic = (version = "0012") => Buffer.from(`REDIS${version}`);
const end = Buffer.concat([Buffer.of(255), Buffer.alloc(8)]);

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const recordsOf = async (rdb: Buffer, size: number, wants = (_: number) => true): Promise<Buffer> => {
  const blocks: Buffer[] = [];
  for await (const block of readRdb(pieces(rdb, size), createRecordWriter(3), { wants, now: 1_000n })) blocks.push(Buffer.from(block));
  return Buffer.concat(blocks);
};

const ugly = Buffer.concat([
  magic(),
  Buffer.of(250, ...string("redis-ver"), ...string("8.0.2")),
  Buffer.of(254, 0, 251, 3, 1),
  Buffer.of(0, ...string("a"), ...string("one")),
  Buffer.of(252, 0xe8, 3, 0, 0, 0, 0, 0, 0, 2, ...string("set"), 2, ...string("y"), ...string("x")),
  Buffer.of(252, 0xe7, 3, 0, 0, 0, 0, 0, 0, 0, ...string("expired"), ...string("gone")),
  Buffer.of(248, 5, 249, 7, 4, ...string("hash"), 1, ...string("f"), 0xc0, 0xf9),
  Buffer.of(254, 9, 0, ...string("other"), 0xc3, 5, 10, 0, 0x61, 0xe0, 0, 0),
  Buffer.of(0),
  string("large"),
  string("z".repeat(3_000_000)),
  end,
]);

describe("reading an RDB", () => {
  it("gives the same records however its bytes are cut, also in the middle of everything", async () => {
    const whole = await recordsOf(ugly, ugly.length);
    const seen = [...recordsIn(whole)].map(({ database, type, key, expiry }) => [database, type, key.toString(), Number(expiry)]);
    assert.deepEqual(seen, [
      [0, "string", "a", -1],
      [0, "set", "set", 1000],
      [0, "hash", "hash", -1],
      [9, "string", "other", -1],
      [9, "string", "large", -1],
    ]);
    const [, set, hash, other] = [...recordsIn(whole)];
    assert.deepEqual(set!.body, Buffer.from("\x01\0\0\0x\x01\0\0\0y", "latin1"));
    const field = readBody(hash!.body);
    assert.deepEqual([String(field.string()), String(field.string()), field.i64()], ["f", "-7", -1n]);
    assert.equal(String(other!.body), "aaaaaaaaaa");
    const small = Buffer.concat([ugly.subarray(0, ugly.indexOf("large") - 2), end]);
    const once = await recordsOf(small, small.length);
    for (const size of [1, 2, 3, 7, 50]) assert.deepEqual(await recordsOf(small, size), once, `${size}`);
    for (const size of [13, 1_000, 65_536]) assert.deepEqual(await recordsOf(ugly, size), whole, `${size}`);
  });

  it("checks the checksum, wherever the bytes are cut, unless the server wrote none", async () => {
    const body = ugly.subarray(0, -8);
    const summed = Buffer.concat([body, crc64(body)]);
    const whole = await recordsOf(ugly, ugly.length);
    for (const size of [13, 65_536, summed.length]) assert.deepEqual(await recordsOf(summed, size), whole, `${size}`);
    const flipped = Buffer.from(summed);
    flipped[flipped.length - 1_000]! ^= 1;
    for (const size of [1_000, flipped.length])
      await assert.rejects(recordsOf(flipped, size), (error) => isFailure(error, "HoldLost") && /checksum/.test(error.message));
    await assert.rejects(recordsOf(summed.subarray(0, -3), 1_000), (error) => isFailure(error, "EngineUnsupported"), "cut off in it");
    const old = Buffer.concat([magic("0004"), Buffer.of(254, 0, 0, ...string("a"), ...string("one")), Buffer.of(255)]);
    assert.equal([...recordsIn(await recordsOf(old, old.length))].length, 1, "before version 5 there is none");
  });

  it("leaves out logical databases that are not wanted", async () => {
    const records = [...recordsIn(await recordsOf(ugly, 4_096, (database) => database === 9))];
    assert.deepEqual(
      records.map(({ key }) => key.toString()),
      ["other", "large"],
    );
  });

  it("ends, wherever it is cut off, with one failure, and never with fewer keys", async () => {
    for (let length = 0; length < 160; length++)
      await assert.rejects(recordsOf(ugly.subarray(0, length), 50), (error) => isFailure(error, "EngineUnsupported"), `${length}`);
  });

  it("refuses a version, a type and an encoding that it does not know, and what is no RDB", async () => {
    const refused = (rdb: Buffer, words: RegExp) =>
      assert.rejects(recordsOf(rdb, 1_000), (error) => isFailure(error, "EngineUnsupported") && words.test(error.message));
    await refused(magic("0099"), /version 99/);
    await refused(Buffer.from("VALKEY081"), /version 81/);
    await refused(Buffer.from("HTTP/1.1 400 Bad Request"), /begins with "HTTP/);
    await refused(Buffer.concat([magic(), Buffer.of(99, ...string("k"))]), /type 99/);
    await refused(Buffer.concat([magic(), Buffer.of(0, ...string("k"), 0xc4)]), /encoding 4/);
    await refused(Buffer.concat([magic(), Buffer.of(0, ...string("k"), 0xc3, 3, 10, 0xe0, 0, 5)]), /damaged/);
    await refused(
      Buffer.concat([magic(), Buffer.of(16, ...string("k"), ...string(Buffer.of(9, 0, 0, 0, 1, 0, 0x85, 0x61, 255)))]),
      /damaged/,
    );
  });
});

describe("parts of RDBs", () => {
  it("checksums as Redis does", () => {
    // From the source of Redis: crc64("123456789") is e9c6d914c4b8d9ca.
    assert.equal(
      Buffer.from(crc64(Buffer.from("123456789")))
        .reverse()
        .toString("hex"),
      "e9c6d914c4b8d9ca",
    );
  });

  it("decompresses references that overlap themselves", () => {
    assert.equal(String(decompressLzf(Buffer.of(1, 0x61, 0x62, 0xe0, 1, 1), 12)), "abababababab");
  });

  it("a stream's payload reads back as the stream that it was made of", () => {
    const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    const bytes = fc.uint8Array({ maxLength: 100 }).map((some) => Buffer.from(some));
    const pair = fc.tuple(bytes, bytes);
    const entry = fc.record({
      id: fc.record({ ms: u64, sequence: u64 }),
      pairs: fc.array(pair, { minLength: 1, maxLength: 5 }).map((all) => all.flat()),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), u64, fc.constantFrom(1, 2, 3), (entries, number, detail) => {
        const nodes = createStreamNodes();
        for (const { id, pairs } of entries) nodes.add(id, pairs);
        const small = number >> 1n;
        const pending = entries.map(({ id }, n) => ({
          id: { ms: id.ms, sequence: BigInt(n) },
          consumer: Buffer.from("c"),
          deliveredAt: small,
          deliveries: number,
        }));
        const state: StreamState = {
          lastId: { ms: number, sequence: number },
          maxDeleted: { ms: 0n, sequence: number },
          added: number,
          groups: [
            {
              name: Buffer.from("g"),
              lastId: { ms: 1n, sequence: 2n },
              entriesRead: -1n,
              pending,
              consumers: [{ name: Buffer.from("c"), seenAt: small, activeAt: -1n }],
            },
          ],
        };
        const expected = createRecordWriter(detail);
        const head = { database: 0, key: Buffer.from("s"), expiry: -1n };
        expected.begin({ ...head, type: "stream" });
        for (const { id, pairs } of entries) expected.entry(id, pairs);
        expected.end(state);
        const found = createRecordWriter(detail);
        writeDump(nodes.payload(state, detail), head, found);
        assert.deepEqual(Buffer.from(found.take()), Buffer.from(expected.take()));
      }),
      { numRuns: 60 },
    );
  });

  it("a state of a stream reads back from its record", () => {
    const writer = createRecordWriter(3);
    const state: StreamState = { lastId: { ms: 5n, sequence: 6n }, maxDeleted: { ms: 1n, sequence: 0n }, added: 9n, groups: [] };
    writer.begin({ database: 0, key: Buffer.from("s"), expiry: -1n, type: "stream" });
    writer.end(state);
    const [record] = [...recordsIn(writer.take())];
    assert.deepEqual(readStreamState(readBody(record!.body).string()), { detail: 3, ...state });
  });

  it("reads every encoding of a listpack's elements", () => {
    const elements = [
      [5],
      [0x82, 0x68, 0x69],
      [0xdf, 0xff],
      [0xe0, 1, 0x78],
      [0xf1, 0xff, 0x7f],
      [0xf2, 0, 0, 0x80],
      [0xf3, 1, 0, 0, 0],
      [0xf4, 255, 255, 255, 255, 255, 255, 255, 127],
      [0xf0, 1, 0, 0, 0, 0x79],
    ];
    const body = elements.flatMap((bytes) => [...bytes, bytes.length]);
    const all = [...listpack(Buffer.from([0, 0, 0, 0, 0, 0, ...body, 255]))].map(String);
    assert.deepEqual(all, ["5", "hi", "-1", "x", "32767", "-8388608", "1", "9223372036854775807", "y"]);
  });
});
