import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BSON, type Document } from "mongodb";
import { boundariesOf, rangeFilters } from "../../core/databases/mongodb/split.ts";

/** MongoDB's comparison, for numbers and strings: it matches within one type only, and NaN is neither above nor below anything. */
const matches = (id: unknown, { _id }: Document): boolean => {
  const compare = (operator: string, bound: unknown): boolean => {
    if (operator === "$not") return !Object.entries(bound as object).every(([inner, value]) => compare(inner, value));
    if (typeof id !== "number" || typeof bound !== "number") return false;
    return operator === "$gte" ? id >= bound : id < bound;
  };
  return Object.entries(_id as object).every(([operator, bound]) => compare(operator, bound));
};

test("ranges cover every id exactly once, also ids of other types and NaN", () => {
  const ids = fc.oneof(fc.integer({ min: -50, max: 50 }), fc.string(), fc.constant(Number.NaN), fc.constant(null));
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 6 }), fc.array(ids), (cuts, all) => {
      const filters = rangeFilters(cuts.sort((a, b) => a - b));
      assert.equal(filters.length, cuts.length + 1);
      for (const id of all) assert.equal(filters.filter((filter) => matches(id, filter)).length, 1, String(id));
    }),
  );
});

test("boundaries are distinct, ascending, and at most one fewer than the parts", () => {
  fc.assert(
    fc.property(
      fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 60 }),
      fc.integer({ min: 2, max: 9 }),
      (values, parts) => {
        const sample = values.map((value) => (value >= -5n && value <= 5n ? new BSON.Int32(Number(value)) : BSON.Long.fromBigInt(value)));
        const cuts = boundariesOf(sample, parts).map((id) => (id instanceof BSON.Long ? id.toBigInt() : BigInt((id as BSON.Int32).value)));
        assert.ok(cuts.length < parts);
        cuts.every((cut, index) => index === 0 || assert.ok(cut > cuts[index - 1]!));
      },
    ),
  );
});

test("ids are split at even shares, in the server's order", () => {
  const objectIds = Array.from({ length: 100 }, (_, index) => BSON.ObjectId.createFromTime(100_000 + ((index * 37) % 100)));
  const cuts = boundariesOf(objectIds, 4) as BSON.ObjectId[];
  assert.deepEqual(
    cuts.map((id) => id.getTimestamp().getTime() / 1_000 - 100_000),
    [25, 50, 75],
  );
  assert.equal(boundariesOf([new Date(-5), new Date(3), new Date(-1)], 3).length, 2);
});

test("ids of several types, or of types whose order is not certain, leave the collection whole", () => {
  for (const sample of [
    [],
    ["a", "b"],
    [new BSON.Int32(1), new Date(1)],
    [new BSON.Double(1.5), new BSON.Double(2)],
    [new BSON.Binary(Buffer.from([1])), new BSON.Binary(Buffer.from([1, 2]))],
    [BSON.Decimal128.fromString("1"), BSON.Decimal128.fromString("2")],
    [new BSON.ObjectId(), { a: 1 }],
  ])
    assert.deepEqual(boundariesOf(sample, 4), []);
});
