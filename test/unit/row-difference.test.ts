import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRowSplitter } from "../../core/repository/row-splitter.ts";
import { type RowSource, rowDifference } from "../../core/snapshot/row-difference.ts";
import { asyncBlocks, splitBy } from "./repository-fixture.ts";

const source = (rows: readonly string[], keyed: boolean): RowSource => ({
  rows: rows.length,
  framing: "lines",
  content: () => asyncBlocks(splitBy(Buffer.from(rows.map((row) => `${row}\n`).join("")), [7, 3])),
  key: keyed ? (row) => row.subarray(0, row.indexOf(0x3a)) : undefined,
});

/** The same by plain sets, for unique keys. */
const expectedKeyed = (before: ReadonlyMap<number, string>, after: ReadonlyMap<number, string>) => ({
  added: [...after.keys()].filter((key) => !before.has(key)).length,
  removed: [...before.keys()].filter((key) => !after.has(key)).length,
  changed: [...before].filter(([key, value]) => after.has(key) && after.get(key) !== value).length,
});

const table = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.constantFrom("a", "b", "")), { selector: ([key]) => key });

test("counts rows by key as sets would, in one pass or in several", async () => {
  await fc.assert(
    fc.asyncProperty(table, table, fc.integer({ min: 1, max: 40 }), async (before, after, atOnce) => {
      const lines = (rows: readonly (readonly [number, string])[]) => rows.map(([key, value]) => `${key}:${value}`);
      const found = await rowDifference(source(lines(before), true), source(lines(after), true), atOnce);
      assert.deepEqual(found, expectedKeyed(new Map(before), new Map(after)));
    }),
    { numRuns: 60 },
  );
});

test("counts rows without keys as often as they occur", async () => {
  const found = await rowDifference(source(["a", "a", "a", "b"], false), source(["a", "c", "b", "b"], false));
  assert.deepEqual(found, { added: 2, removed: 2, changed: null });
  assert.deepEqual(await rowDifference(source([], false), source(["x"], true)), { added: 1, removed: 0, changed: null });
});

test("does not compare stamps", async () => {
  const stamped = (row: string): RowSource => ({
    rows: 1,
    framing: "stamped",
    content: () => asyncBlocks([Buffer.from(row)]),
    key: () => Buffer.from("k"),
  });
  assert.deepEqual(await rowDifference(stamped("{1}\t5\n"), stamped("{1}\t6\n")), { added: 0, removed: 0, changed: 0 });
  assert.deepEqual(await rowDifference(stamped("{1}\t5\n"), stamped("{2}\t5\n")), { added: 0, removed: 0, changed: 1 });
});

test("cuts a stream into the same rows wherever its blocks end", () => {
  const split = (framing: "lines" | "bson" | "opaque", blocks: readonly Uint8Array[]): string[] => {
    const rows: string[] = [];
    const splitter = createRowSplitter(framing, (row) => rows.push(Buffer.from(row).toString("latin1")));
    for (const block of blocks) splitter.push(block);
    splitter.finish();
    return rows;
  };
  const text = Buffer.from("one\n\ntwo\nlast");
  const documents = Buffer.concat([Buffer.from([5, 0, 0, 0, 0]), Buffer.from([8, 0, 0, 0, 10, 97, 0, 0])]);
  for (const sizes of [[1], [2, 3], [100]]) {
    assert.deepEqual(split("lines", splitBy(text, sizes)), ["one\n", "\n", "two\n", "last"]);
    assert.deepEqual(
      split("bson", splitBy(documents, sizes)).map(({ length }) => length),
      [5, 8],
    );
    assert.deepEqual(split("opaque", splitBy(text, sizes)), [text.toString()]);
  }
  assert.throws(() => split("bson", [documents.subarray(0, 9)]), { type: "Unexpected" });
  assert.throws(() => split("bson", [Buffer.from([4, 0, 0, 0])]), { type: "Unexpected" });
});
