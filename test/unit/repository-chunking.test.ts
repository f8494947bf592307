import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { isFailure } from "../../core/domain/failure.ts";
import type { Framing, RowDigest } from "../../core/domain/snapshot.ts";
import { addRowDigests, emptyRowDigest, rowDigestOf, sumText } from "../../core/repository/row-digest.ts";
import { createRowScanner } from "../../core/repository/row-scanner.ts";
import { mix, rowTables } from "../../core/repository/row-tables.ts";
import { asyncBlocks, splitBy, tableText } from "./repository-fixture.ts";

const key = Buffer.alloc(32, 7);
const chunking = { min: 64, target: 200, max: 700 };

const scan = (framing: Framing, blocks: Iterable<Uint8Array>, sizes = chunking): { digest: RowDigest; ends: number[] } => {
  const ends: number[] = [];
  const scanner = createRowScanner(framing, key, { ...sizes, salt: 99, cut: (end) => ends.push(end) });
  for (const block of blocks) scanner.scan(block);
  return { digest: scanner.finish(), ends };
};
const digest = (framing: Framing, bytes: Uint8Array, digestKey: Uint8Array = key) => rowDigestOf(asyncBlocks([bytes]), framing, digestKey);

/** The definition of `docs/format.md`, one byte after the other, without any of the scanner's tricks. */
const slowSum = (rows: readonly Uint8Array[]): string => {
  const { a, b, seedA, seedB } = rowTables(key);
  let [sumA, sumB] = [0, 0];
  for (const bytes of rows) {
    let [laneA, laneB] = [seedA, seedB];
    for (const byte of bytes) {
      laneA = (Math.imul(laneA, 0x01000193) + a[byte]!) | 0;
      laneB = (Math.imul(laneB, 0x85ebca6b) + b[byte]!) | 0;
    }
    const high = mix((laneA + bytes.length) | 0);
    sumA = (sumA + high) | 0;
    sumB = (sumB + mix(laneB ^ high)) | 0;
  }
  return sumText(sumA, sumB);
};

const row = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 60 }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 500, maxLength: 900, size: "max" }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1300, maxLength: 3000, size: "max" }) },
);
const lineOf = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from(bytes.map((b) => (b === 10 ? 11 : b))), Buffer.from("\n")]);
const documentOf = (bytes: Uint8Array): Buffer => {
  const document = Buffer.concat([Buffer.alloc(4), bytes, Buffer.alloc(1)]);
  document.writeInt32LE(document.length);
  return document;
};
const framed = { lines: lineOf, bson: documentOf } as const;
const sizes = fc.array(fc.integer({ min: 1, max: 1500 }), { maxLength: 12 });

for (const framing of ["lines", "bson"] as const) {
  test(`${framing}: however the stream is split into blocks, chunks and digest are the same`, () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 80, size: "max" }), sizes, (rows, split) => {
        const stream = Buffer.concat(rows.map(framed[framing]));
        const whole = scan(framing, [stream]);
        assert.deepEqual(scan(framing, splitBy(stream, split)), whole);
        assert.deepEqual(scan(framing, splitBy(stream, [1])), whole);
        assert.equal(whole.digest.rows, rows.length);
        assert.equal(whole.digest.sum, slowSum(rows.map(framed[framing])));
        assert.equal(whole.digest.bytes, stream.length);
      }),
      { numRuns: 60 },
    );
  });

  test(`${framing}: chunks end at row ends, are within their sizes, and rows above the maximum are cut in blocks of it`, () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 80, size: "max" }), (rows) => {
        const framedRows = rows.map(framed[framing]);
        const stream = Buffer.concat(framedRows);
        const { ends } = scan(framing, [stream]);
        const rowEnds = new Map<number, number>();
        let at = 0;
        for (const one of framedRows) {
          rowEnds.set(at + one.length, one.length);
          at += one.length;
        }
        let start = 0;
        for (const end of ends) {
          assert.ok(end > start && end <= stream.length);
          const size = end - start;
          const rowLength = rowEnds.get(end);
          if (rowLength === undefined) assert.equal(size, chunking.max, "a cut inside a row ends a block of max");
          else if (rowLength <= chunking.max && !ends.includes(end - rowLength + chunking.max)) assert.ok(size < 2 * chunking.max);
          start = end;
        }
        assert.ok(stream.length - start < 2 * chunking.max);
      }),
      { numRuns: 60 },
    );
  });

  test(`${framing}: the digest does not depend on the order of rows, adds up, and notices any change of a row`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 30 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (rows, pick, change) => {
          const framedRows = rows.map(framed[framing]);
          const whole = await digest(framing, Buffer.concat(framedRows));
          assert.deepEqual(await digest(framing, Buffer.concat(framedRows.toReversed())), whole);
          const middle = pick % framedRows.length;
          const parts = [framedRows.slice(0, middle), framedRows.slice(middle)];
          const [first, second] = await Promise.all(parts.map((part) => digest(framing, Buffer.concat(part))));
          assert.deepEqual(addRowDigests(first!, second!), whole);
          assert.deepEqual(addRowDigests(second!, first!), whole);
          const content = Uint8Array.from([...rows[middle]!, 0]);
          content[pick % content.length]! += change;
          const altered = framedRows.with(middle, framed[framing](content));
          assert.notEqual((await digest(framing, Buffer.concat(altered))).sum, whole.sum);
        },
      ),
      { numRuns: 60 },
    );
  });
}

test("the digest depends on its key, on each row's length, and on how often a row occurs", async () => {
  const one = await digest("lines", Buffer.from("a\n"));
  assert.notEqual((await digest("lines", Buffer.from("a\n"), Buffer.alloc(32, 8))).sum, one.sum);
  assert.notEqual((await digest("lines", Buffer.from("a\na\n"))).sum, one.sum);
  assert.notEqual((await digest("lines", Buffer.from("ab\nc\n"))).sum, (await digest("lines", Buffer.from("a\nbc\n"))).sum);
  assert.notEqual((await digest("lines", Buffer.from("ab\n"))).sum, (await digest("lines", Buffer.from("ba\n"))).sum);
  assert.deepEqual(await digest("lines", Buffer.alloc(0)), emptyRowDigest);
  assert.deepEqual(addRowDigests(one, emptyRowDigest), one);
});

test("a last line without its end is a row of its own", async () => {
  const cut = await digest("lines", Buffer.from("a\nb"));
  assert.equal(cut.rows, 2);
  assert.notEqual(cut.sum, (await digest("lines", Buffer.from("a\nb\n"))).sum);
});

test("opaque streams have no rows, a digest of their whole, and blocks of the target size", () => {
  const bytes = randomBytes(1000);
  const whole = scan("opaque", [bytes]);
  assert.deepEqual(whole.ends, [200, 400, 600, 800, 1000]);
  assert.equal(whole.digest.rows, 0);
  assert.deepEqual(scan("opaque", splitBy(bytes, [1, 7, 333])), whole);
  bytes[500]! ^= 1;
  assert.notEqual(scan("opaque", [bytes]).digest.sum, whole.digest.sum);
});

test("broken BSON is a failure that says where", () => {
  const good = documentOf(Buffer.from("content"));
  const failing = (bytes: Uint8Array, pattern: RegExp) =>
    assert.throws(
      () => scan("bson", splitBy(bytes, [3])),
      (error) => isFailure(error, "Unexpected") && pattern.test(error.message),
    );
  failing(Buffer.concat([good, good.subarray(0, 7)]), /at byte 12 .* cut off after 7 bytes/);
  failing(Buffer.concat([good, good.subarray(0, 2)]), /cut off after 2 bytes/);
  failing(Buffer.concat([good, Buffer.from([4, 0, 0, 0, 0])]), /at byte 12 .* claims 4 bytes/);
  failing(Buffer.from([0, 0, 0, 0x80, 0]), /claims 2147483648 bytes/);
});

test("a row put into the middle changes few chunks", () => {
  const sizes = { min: 1024, target: 3072, max: 16_384 };
  const before = tableText(20_000);
  const middle = before.indexOf("\n", before.length >> 1) + 1;
  const after = Buffer.concat([before.subarray(0, middle), Buffer.from("new\trow\n"), before.subarray(middle)]);
  const contents = (bytes: Buffer) => {
    let start = 0;
    return scan("lines", [bytes], sizes).ends.map((end) => {
      const content = bytes.toString("latin1", start, end);
      start = end;
      return content;
    });
  };
  const known = new Set(contents(before));
  const fresh = contents(after).filter((content) => !known.has(content));
  assert.ok(known.size > 100, `${known.size} chunks`);
  assert.ok(fresh.length >= 1 && fresh.length <= 4, `${fresh.length} new chunks`);
});

test("chunks have about the size that was asked for, and boundaries depend on the secret", () => {
  const sizes = { min: 1024, target: 3072, max: 16_384 };
  const bytes = tableText(30_000, 5);
  const { ends } = scan("lines", [bytes], sizes);
  const mean = bytes.length / ends.length;
  assert.ok(mean > 3000 && mean < 5200, `mean ${mean}`);
  const other: number[] = [];
  const scanner = createRowScanner("lines", key, { ...sizes, salt: 100, cut: (end) => other.push(end) });
  scanner.scan(bytes);
  const same = other.filter((end) => ends.includes(end)).length;
  assert.ok(same < other.length / 4, `${same} of ${other.length} boundaries are the same`);
});

test("a stamp is captured and cut like the rest, but what is compared does not depend on it, however the stream is split", () => {
  const stamped = (stamp: string) => Buffer.from(`{"id":"a"}\t${stamp}\n{"id":"b\\tc"}\t${stamp}9\n{"id":""}\t\n`);
  const bare = digest("lines", Buffer.from('{"id":"a"}\n{"id":"b\\tc"}\n{"id":""}\n'));
  const early = stamped("1763977275");
  const whole = scan("stamped", [early]);
  return bare.then(({ rows, sum }) => {
    assert.deepEqual(whole.digest, { rows, sum, bytes: early.length });
    for (const size of [1, 2, 7]) assert.deepEqual(scan("stamped", splitBy(early, [size])), whole);
    assert.equal(scan("stamped", [stamped("2")]).digest.sum, sum);
    assert.notEqual(scan("stamped", [Buffer.from(early.toString().replace("a", "A"))]).digest.sum, sum);
    assert.deepEqual(scan("lines", [early]).ends, whole.ends);
  });
});
