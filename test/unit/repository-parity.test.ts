import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { isFailure } from "../../core/domain/failure.ts";
import { makeParity, type ParityGroup, type ReadPart, readParityHead, rebuildPack } from "../../core/repository/parity.ts";
import { encodeParity, rebuildStripe } from "../../core/repository/reed-solomon.ts";

const sha256 = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");
const reader =
  (content: Uint8Array): ReadPart =>
  async (offset, length) => {
    assert.ok(offset + length <= content.length, "nothing behind the end is asked for");
    return content.subarray(offset, offset + length);
  };
const groupOf = (contents: readonly Uint8Array[], pieces: number): ParityGroup => ({
  packs: contents.map((content) => ({ id: sha256(content), bytes: content.length })),
  pieces,
});

/** GF(2^8) with the polynomial 0x11d, and the matrix as docs/format.md has it, with nothing of the codec. */
const multiply = (a: number, b: number): number => {
  let product = 0;
  for (let bit = 0; bit < 8; bit += 1) {
    if ((b >> bit) & 1) product ^= a << bit;
  }
  for (let bit = 15; bit >= 8; bit -= 1) if ((product >> bit) & 1) product ^= 0x11d << (bit - 8);
  return product;
};
const power = (base: number, exponent: number): number => Array.from({ length: exponent }, () => base).reduce(multiply, 1);
const inverse = (of: number): number => Array.from({ length: 255 }, (_, at) => at + 1).find((candidate) => multiply(of, candidate) === 1)!;
const invert = (matrix: readonly number[][]): number[][] => {
  const size = matrix.length;
  const work = matrix.map((row, at) => [...row, ...Array.from({ length: size }, (_, column) => (column === at ? 1 : 0))]);
  for (let column = 0; column < size; column += 1) {
    const pivot = work.findIndex((row, at) => at >= column && row[column] !== 0);
    [work[column], work[pivot]] = [work[pivot]!, work[column]!];
    const scale = inverse(work[column]![column]!);
    work[column] = work[column]!.map((value) => multiply(value, scale));
    for (let row = 0; row < size; row += 1) {
      const factor = work[row]![column]!;
      if (row !== column && factor !== 0) work[row] = work[row]!.map((value, at) => value ^ multiply(factor, work[column]![at]!));
    }
  }
  return work.map((row) => row.slice(size));
};
const times = (row: readonly number[], matrix: readonly number[][]): number[] =>
  matrix[0]!.map((_, column) => row.reduce((sum, value, at) => sum ^ multiply(value, matrix[at]![column]!), 0));
const encodeByTheBook = (data: readonly Uint8Array[], pieces: number): Uint8Array[] => {
  const vandermonde = Array.from({ length: data.length + pieces }, (_, row) => data.map((_, column) => power(row, column)));
  const top = invert(vandermonde.slice(0, data.length));
  return vandermonde.slice(data.length).map((row) => {
    const factors = times(row, top);
    return Uint8Array.from(data[0]!, (_, byte) => factors.reduce((sum, factor, at) => sum ^ multiply(factor, data[at]![byte]!), 0));
  });
};

test("the codec gives what others give: the vector of JavaReedSolomon and of klauspost/reedsolomon", () => {
  const data = [
    [0, 1],
    [4, 5],
    [2, 3],
    [6, 7],
    [8, 9],
  ].map((bytes) => Uint8Array.from(bytes));
  const expected = [
    [12, 13],
    [10, 11],
    [14, 15],
    [90, 91],
    [94, 95],
  ];
  assert.deepEqual(
    encodeParity(data, 5).map((stripe) => [...stripe]),
    expected,
  );
  assert.deepEqual(
    encodeByTheBook(data, 5).map((stripe) => [...stripe]),
    expected,
  );
});

test("the codec gives what the page says, and any stripes that suffice give back any other", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 12 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 40 }),
      (packs, pieces, length) => {
        const data = Array.from({ length: packs }, () => new Uint8Array(randomBytes(length)));
        const parity = encodeParity(data, pieces);
        assert.deepEqual(parity, encodeByTheBook(data, pieces));
        const lost = new Set(Array.from({ length: pieces }, () => Math.floor(Math.random() * (packs + pieces))));
        const there = [...data, ...parity].map((stripe, at) => (lost.has(at) ? undefined : stripe));
        for (const at of lost) if (at < packs) assert.deepEqual(rebuildStripe(there, pieces, at), data[at]);
      },
    ),
    { numRuns: 30 },
  );
});

test("packs of any size share parity: as many as there are pieces can be lost, whichever", async () => {
  // Longer than a stripe, a whole number of them, and one byte.
  const contents = [2_500_000, 1, 2 * 1024 * 1024, 70_000, 1_048_577].map((size) => new Uint8Array(randomBytes(size)));
  const group = groupOf(contents, 2);
  const made = await makeParity(group, contents.map(reader));
  assert.equal(made.length, 2);
  made.forEach(({ id, content }, piece) => {
    assert.equal(id, sha256(content));
    assert.deepEqual(readParityHead(content, "a piece"), { ...group, piece });
    assert.equal(content.length, 32 + 5 * 36 + 2_500_000);
  });
  for (const [a, b] of [
    [0, 1],
    [2, 4],
    [3, 3],
  ] as const) {
    const packs = contents.map((content, at) => (at === a || at === b ? undefined : reader(content)));
    for (const at of new Set([a, b])) {
      const rebuilt = await rebuildPack(
        group,
        group.packs[at]!.id,
        packs,
        made.map(({ content }) => reader(content)),
      );
      assert.deepEqual(Buffer.from(rebuilt), Buffer.from(contents[at]!));
    }
  }
});

test("too little, and something altered, are found out; nothing wrong is given back", async () => {
  const contents = [5_000, 6_000, 7_000].map((size) => new Uint8Array(randomBytes(size)));
  const group = groupOf(contents, 1);
  const [piece] = await makeParity(group, contents.map(reader));
  const [, second, third] = contents.map(reader);
  const rebuild = (packs: (ReadPart | undefined)[], pieces: (ReadPart | undefined)[]) =>
    rebuildPack(group, group.packs[0]!.id, packs, pieces);
  const corrupt = (error: unknown) => isFailure(error, "ObjectCorrupt");
  await assert.rejects(rebuild([undefined, undefined, third], [reader(piece!.content)]), corrupt);
  await assert.rejects(rebuild([undefined, second, third], [undefined]), corrupt);
  const altered = Uint8Array.from(contents[1]!);
  altered[3]! ^= 1;
  await assert.rejects(rebuild([undefined, reader(altered), third], [reader(piece!.content)]), corrupt);
  assert.deepEqual(Buffer.from(await rebuild([undefined, second, third], [reader(piece!.content)])), Buffer.from(contents[0]!));

  const head = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(piece!.content);
    change(bytes);
    return bytes;
  };
  assert.throws(
    () =>
      readParityHead(
        head((bytes) => bytes.fill(0, 0, 8)),
        "it",
      ),
    corrupt,
  );
  assert.throws(
    () =>
      readParityHead(
        head((bytes) => bytes.writeUInt32LE(9, 20)),
        "it",
      ),
    corrupt,
  );
  assert.throws(() => readParityHead(piece!.content.subarray(0, 40), "it"), corrupt);
  assert.throws(
    () =>
      readParityHead(
        head((bytes) => bytes.writeUInt32LE(2, 8)),
        "it",
      ),
    (error) => isFailure(error, "FormatUnsupported"),
  );
});
