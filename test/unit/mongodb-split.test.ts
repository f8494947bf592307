import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BSON, type Document } from "mongodb";
import { classOf, compareIds } from "../../core/databases/mongodb/id-order.ts";
import { boundariesIn, boundariesOf, filterOf, placesOf, rangesOf, refinedBoundaries } from "../../core/databases/mongodb/split.ts";

const { Binary, Decimal128, Double, Int32, Long, ObjectId, Timestamp } = BSON;

/** MongoDB's comparison as its documentation has it: it matches within one class only, and NaN is neither above nor below anything. */
const matches = (id: unknown, filter: Document): boolean => {
  if (filter.$nor !== undefined) return !(filter.$nor as Document[]).some((each) => matches(id, each));
  return Object.entries(filter._id as object).every(([operator, bound]) => {
    if (classOf(id) === undefined || classOf(id) !== classOf(bound)) return false;
    return operator === "$gte" ? compareIds(id, bound)! >= 0 : compareIds(id, bound)! < 0;
  });
};

const cuttable = fc.oneof(
  fc.integer({ min: -50, max: 50 }).map((value) => new Int32(value)),
  fc.bigInt({ min: -60n, max: 60n }).map((value) => Long.fromBigInt(value)),
  fc.double({ min: -50, max: 50, noNaN: true }).map((value) => new Double(value)),
  fc.string({ maxLength: 3 }),
  fc.uint8Array({ maxLength: 3 }).map((bytes) => new Binary(bytes, 0)),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
  fc.integer({ min: -99, max: 99 }).map((at) => new Date(at)),
  fc.integer({ min: 0, max: 99 }).map((t) => new Timestamp({ t, i: 1 })),
);
const others = fc.constantFrom<unknown>(null, true, new Double(Number.NaN), new BSON.MinKey(), new BSON.MaxKey());
const inOrder = (ids: unknown[]): unknown[] =>
  [...Map.groupBy(ids, classOf).values()].flatMap((group) => group.sort((a, b) => compareIds(a, b)!));

test("ranges of mixed types hold every id exactly once, and this side knows in which", () => {
  fc.assert(
    fc.property(
      fc.array(cuttable, { maxLength: 40 }),
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.oneof(cuttable, others)),
      (sample, parts, ids) => {
        const ranges = rangesOf(boundariesOf(inOrder(sample), parts));
        assert.ok(ranges.length <= parts);
        for (const id of ids) {
          const holding = ranges.flatMap((range, index) => (matches(id, filterOf(range)) ? [index] : []));
          assert.deepEqual(placesOf(ranges, id), holding, String(id));
          assert.equal(holding.length, 1);
        }
      },
    ),
  );
});

test("ids are cut at even shares, each class by itself", () => {
  const objectIds = Array.from({ length: 100 }, (_, at) => ObjectId.createFromTime(100_000 + at));
  const cuts = boundariesOf(objectIds, 4) as BSON.ObjectId[];
  assert.deepEqual(
    cuts.map((id) => id.getTimestamp().getTime() / 1_000 - 100_000),
    [25, 50, 75],
  );
  const mixed = [...Array.from({ length: 50 }, (_, at) => new Int32(at)), ...objectIds.slice(0, 50)];
  const ranges = rangesOf(boundariesOf(mixed, 4));
  assert.deepEqual(ranges.length, 4);
  assert.equal((ranges[0] as { rest: unknown[] }).rest.length, 2, "the low ends of both classes");
});

test("an order that contradicts what is known of it is not cut; where this side cannot tell, an id may be in all of its class", () => {
  assert.deepEqual(boundariesOf([new Int32(3), new Int32(2), new Int32(1)], 3), []);
  assert.deepEqual(boundariesOf(["b", "a"], 2), ["a"]);
  const decimal = Decimal128.fromString("1.5");
  const ranges = rangesOf([new Int32(1), new Int32(2), "m"]);
  assert.deepEqual(placesOf(ranges, decimal), [0, 1, 2]);
  assert.deepEqual(placesOf(ranges, "not UTF-8: \ufffd"), [0, 3]);
  assert.deepEqual(placesOf(ranges, { a: 1 }), [0], "no boundary of its class");
  assert.deepEqual(placesOf(rangesOf([{ a: 1 }, { a: 2 }]), { a: 1 }), [0, 1, 2]);
  assert.equal(compareIds(new Binary(Buffer.from([1, 2]), 2), new Binary(Buffer.from([1, 2]), 2)), undefined);
  assert.equal(compareIds(new Binary(Buffer.from([9]), 5), new Binary(Buffer.from([1, 1]), 0))! < 0, true, "shorter first");
  assert.equal(compareIds(Long.fromString("9007199254740993"), new Double(9007199254740992))! > 0, true, "exact beyond 2^53");
});

test("boundaries stay, and only a range that has grown past three times its share is cut again", () => {
  const ids = Array.from({ length: 400 }, (_, at) => new Int32(at));
  const first = boundariesOf(ids.slice(0, 100), 4);
  const grown = refinedBoundaries(first, ids, 16);
  assert.deepEqual(grown.slice(0, 3), first);
  assert.ok(grown.length > 4, "what was appended is cut");
  assert.deepEqual(boundariesIn(rangesOf(grown)), grown);
  assert.deepEqual(refinedBoundaries(grown, ids, 16), grown, "and then stays");
  assert.deepEqual(refinedBoundaries(ids.slice(1, 100), ids, 2), boundariesOf(ids, 2), "far too many: anew");
});
