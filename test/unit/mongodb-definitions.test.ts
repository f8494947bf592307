import assert from "node:assert/strict";
import { test } from "node:test";
import { BSON, type Document } from "mongodb";
import { createCommand, indexesCommand, validationCommand } from "../../core/databases/mongodb/create.ts";
import { readDefinitions, writeDefinitions } from "../../core/databases/mongodb/definitions.ts";
import { isFailure } from "../../core/domain/failure.ts";

const { Int32, Long, Double } = BSON;
const write = (options: Document, ...indexes: Document[]): Uint8Array =>
  writeDefinitions([
    {
      entry: { name: "orders", type: "collection", uuid: undefined, options: BSON.serialize(options) },
      indexes: indexes.map((index) => BSON.serialize(index)),
    },
  ]);

/** Keys like numbers in an order that a JavaScript object would not keep. */
const numbered = new Map<string, unknown>([
  ["10", new Int32(1)],
  ["9", new Map([["2", 1]]).set("1", 1)],
]);

test("definitions come back with every number's type and every key's place", () => {
  const cases: Document[] = [
    {},
    { capped: true, size: Long.fromNumber(1_000), max: new Int32(5) },
    { collation: { locale: "fr", strength: new Int32(2), backwards: true } },
    { validator: { $jsonSchema: { bsonType: "object", required: ["a"], properties: { a: { minimum: new Double(1) } } } } },
    { validator: { a: { $type: "string" }, b: { $regex: "^x", $options: "i" }, when: { $gt: new Date(-5) } } },
    { validator: { a: { $date: "not a date" } } },
    { validator: numbered },
    { viewOn: "other", pipeline: [{ $match: { price: { $gte: BSON.Decimal128.fromString("1.10") } } }] },
  ];
  for (const options of cases) {
    const [definition] = readDefinitions(write(options, options));
    assert.ok(Buffer.from(BSON.serialize(definition!.options)).equals(Buffer.from(BSON.serialize(options))), JSON.stringify(options));
    assert.ok(Buffer.from(BSON.serialize(definition!.indexes[0]!)).equals(Buffer.from(BSON.serialize(options))), JSON.stringify(options));
  }
});

test("the stream is canonical Extended JSON, one entry a line", () => {
  const text = Buffer.from(
    write({ capped: true, size: new Int32(9) }, { v: new Int32(2), key: { a: new Int32(1) }, name: "a_1" }),
  ).toString();
  assert.equal(
    text,
    `[\n{"name":"orders","type":"collection","options":{"capped":true,"size":{"$numberInt":"9"}},"indexes":[{"v":{"$numberInt":"2"},"key":{"a":{"$numberInt":"1"}},"name":"a_1"}]}\n]\n`,
  );
  assert.deepEqual(readDefinitions(writeDefinitions([])), []);
});

test("what is no list of definitions is refused", () => {
  for (const content of ["", "{}", "[", "\0"])
    assert.throws(
      () => readDefinitions(Buffer.from(content)),
      (error) => isFailure(error, "RestoreFailed"),
    );
});

test("validation is set after the data, and index options pass through", () => {
  const options = { capped: true, size: 5, validator: { a: 1 }, validationLevel: "moderate", validationAction: "warn", autoIndexId: true };
  const indexes = [
    { v: new Int32(2), key: { a: 1 }, name: "a_1", ns: "shop.orders", unique: true, partialFilterExpression: { a: { $gt: 1 } } },
    { v: new Int32(1), key: { b: 1 }, name: "b_1", expireAfterSeconds: 60 },
  ];
  const definition = { name: "orders", type: "collection", options, indexes } as const;
  assert.deepEqual(createCommand(definition), { create: "orders", capped: true, size: 5 });
  assert.deepEqual(validationCommand(definition), {
    collMod: "orders",
    validator: { a: 1 },
    validationLevel: "moderate",
    validationAction: "warn",
  });
  assert.deepEqual(indexesCommand(definition), {
    createIndexes: "orders",
    indexes: [
      { key: { a: 1 }, name: "a_1", unique: true, partialFilterExpression: { a: { $gt: 1 } } },
      { v: new Int32(1), key: { b: 1 }, name: "b_1", expireAfterSeconds: 60 },
    ],
  });
  assert.equal(validationCommand({ ...definition, options: {} }), undefined);
  assert.equal(indexesCommand({ ...definition, indexes: [] }), undefined);
});
