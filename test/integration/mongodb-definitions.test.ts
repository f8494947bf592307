import assert from "node:assert/strict";
import { test } from "node:test";
import { BSON, type Document } from "mongodb";
import { type Captured, capture, definitionsOf, ownDatabase, restoreAll, rowsOf, sortedDocuments } from "./mongodb-place.ts";

const { Int32 } = BSON;

/** All that SecantusDB has; text and hashed indexes are tested as data, in the unit test of definitions. */
const collections: Record<string, Document> = {
  capped: { capped: true, size: 100_000, max: 50 },
  clustered: { clusteredIndex: { key: { _id: 1 }, unique: true, name: "by id" } },
  "time series": { timeseries: { timeField: "at", metaField: "of", granularity: "minutes" }, expireAfterSeconds: 86_400_000 },
  validated: {
    validator: { $jsonSchema: { bsonType: "object", required: ["a"], properties: { a: { bsonType: "string" } } } },
    validationAction: "error",
    validationLevel: "moderate",
  },
  collated: { collation: { locale: "fr", strength: 2 } },
  images: { changeStreamPreAndPostImages: { enabled: true } },
  plain: {},
};

const indexes: Document[] = [
  { key: { p: 1 }, name: "partial", partialFilterExpression: { p: { $gt: 5 } }, unique: true },
  { key: { s: 1 }, name: "sparse", sparse: true },
  { key: { at: 1 }, name: "ttl", expireAfterSeconds: 1_000_000_000 },
  { key: { place: "2dsphere", kind: 1 }, name: "sphere" },
  { key: { flat: "2d" }, name: "flat", min: -500, max: 500 },
  { key: { "$**": 1 }, name: "wild", wildcardProjection: { secret: 0 } },
  { key: { word: 1 }, name: "french", collation: { locale: "fr", strength: 1 } },
  { key: { h: 1 }, name: "hidden", hidden: true },
  { key: { b: -1, a: 1, "9": 1, "1": -1 }, name: "order of keys" },
];

test("every kind of collection and index comes back with all its options, in its order", async () => {
  await using source = await ownDatabase("secantus");
  const { db } = source;
  for (const [name, options] of Object.entries(collections)) await db.command({ create: name, ...options });
  await db.command({ create: "view", viewOn: "plain", pipeline: [{ $match: { n: { $gt: 1 } } }, { $project: { b: 1, a: 1 } }] });
  for (const index of indexes) {
    // An object would put its keys "1" and "9" first.
    const key = index.name === "order of keys" ? new Map(Object.entries({ b: -1, a: 1 })).set("9", 1).set("1", -1) : index.key;
    await db.command({ createIndexes: "plain", indexes: [{ ...index, key }] });
  }
  await db.collection("capped").insertMany(Array.from({ length: 60 }, (_, at) => ({ at })));
  await db.collection("clustered").insertMany(Array.from({ length: 20 }, (_, n) => ({ n })));
  await db
    .collection("time series")
    .insertMany(Array.from({ length: 20 }, (_, n) => ({ at: new Date(1_790_000_000_000 + n * 1_000), of: n % 3, n })));
  await db.collection("plain").insertMany([
    { n: 1, place: { type: "Point", coordinates: [13.4, 52.5] } },
    { n: 2, word: "élève" },
  ]);
  await db.collection("collated").insertMany([{ word: "a" }, { word: "B" }]);

  const streams = await capture(source.url);
  await using target = await ownDatabase("secantus");
  const back = await restoreAll(target.url, streams);
  for (const { name, content } of rowsOf(streams)) assert.deepEqual(sortedDocuments(back.get(name)!), sortedDocuments(content), name);
  const capped = streams.find(({ name }) => name === "capped")!;
  assert.ok(back.get("capped")!.equals(capped.content), "in the order of insertion");
  const again = await capture(target.url);
  assert.deepEqual(entriesOf(again), entriesOf(streams));
  const text = definitionsOf(streams)[0]!.content.toString();
  for (const name of [...Object.keys(collections), "view"]) assert.ok(text.includes(JSON.stringify(name)), name);
  const built = await target.db.collection("plain").indexes();
  assert.deepEqual(built.map(({ name }) => name).sort(), ["_id_", ...indexes.map(({ name }) => name)].sort());
  assert.equal(await target.db.collection("view").countDocuments(), 1);
  assert.equal(await target.db.collection("time series").countDocuments({ of: 1 }), 7);
});

/** SecantusDB lists a validator's level and action in the order in which they were set, so options are compared without their order. */
const entriesOf = (streams: readonly Captured[]): unknown => JSON.parse(definitionsOf(streams)[0]!.content.toString());

test("documents that their own validator refuses come back, and it refuses new ones again", async () => {
  await using source = await ownDatabase("secantus");
  const bad = { _id: new Int32(1), a: new Int32(5) };
  await source.db.collection<{ _id: BSON.Int32 }>("validated").insertOne(bad);
  await source.db.command({ collMod: "validated", validator: { a: { $type: "string" } } });
  await assert.rejects(source.db.collection("validated").insertOne({ a: 6 }), /validation/);
  const streams = await capture(source.url);
  await using target = await ownDatabase("secantus");
  const back = await restoreAll(target.url, streams);
  assert.deepEqual(sortedDocuments(back.get("validated")!), [Buffer.from(BSON.serialize(bad)).toString("hex")]);
  await assert.rejects(target.db.collection("validated").insertOne({ a: 6 }), /validation/);
});

test("documents of 16 MB come and go", async () => {
  await using source = await ownDatabase("secantus");
  // The largest that the protocol allows: 16 MiB , of which 22 bytes are not its content.
  const blob = Buffer.alloc(16 * 1_048_576 - 22, 7);
  for (const _id of [1, 2]) await source.db.collection<{ _id: number }>("large").insertOne({ _id, b: new BSON.Binary(blob) } as never);
  const streams = await capture(source.url);
  const large = streams.find(({ name }) => name === "large")!;
  assert.equal(large.content.readInt32LE(0), 16 * 1_048_576);
  await using target = await ownDatabase("secantus");
  const back = await restoreAll(target.url, streams);
  assert.ok(back.get("large")!.equals(large.content));
});
