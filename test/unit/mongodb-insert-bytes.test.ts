import assert from "node:assert/strict";
import { test } from "node:test";
import { BSON } from "mongodb";
import { idOf, orderedDocument } from "../../core/databases/mongodb/ordered-bson.ts";
import { vectors } from "./mongodb-bson-vectors.ts";
import { wireTrip } from "./mongodb-wire-trip.ts";

test("the vectors are well-formed BSON", () => {
  for (const [name, bytes] of Object.entries(vectors)) {
    assert.equal(bytes.readInt32LE(0), bytes.length, name);
    assert.equal([...BSON.onDemand.parseToElements(bytes, 0)].length, 2, name);
    assert.deepEqual(idOf(bytes), new BSON.Int32(7), name);
  }
});

for (const [name, bytes] of Object.entries(vectors))
  test(`${name}: the bytes that are read are the bytes that an insert sends`, async () => {
    assert.ok((await wireTrip(bytes)).equals(bytes));
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
