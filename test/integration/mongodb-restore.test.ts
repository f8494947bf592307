import assert from "node:assert/strict";
import { test } from "node:test";
import { BSON } from "mongodb";
import { mongodb } from "../../core/databases/mongodb/mongodb.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { capture, definitionsOf, never, ownDatabase, pieces, restoreAll, rowsOf, sortedDocuments } from "./mongodb-place.ts";

const { Binary, Double, Int32, Long, ObjectId, Timestamp } = BSON;

/** All that FerretDB 1.24 stores; what it refuses (Decimal128, NaN, nested arrays, keys with `$` or a dot, MinKey …) is tested in bytes, without it. */
const varied: Record<string, unknown>[] = [
  { _id: new ObjectId(), nested: { a: { b: { c: [1, "two", null, { three: 3 }] } } }, empty: {}, none: [] },
  { _id: "text id", "": "empty name", unicode: "Zażółć 😀 \u0000 gęślą", long: "x".repeat(70_000) },
  { _id: new Int32(1), numbers: { int: new Int32(5), double: new Double(5), long: Long.fromNumber(5), big: Long.MIN_VALUE } },
  { _id: new Double(2.5), dates: [new Date(0), new Date(-62_135_596_800_000), new Date(253_402_300_799_999)] },
  {
    _id: Long.fromNumber(3),
    binary: [0, 2, 4, 5, 128].map((type) => new Binary(Buffer.alloc(type === 4 ? 16 : 9, type), type)),
    uuid: new BSON.UUID("56e1fc72-e0c9-4714-8161-aabbccddeeff"),
  },
  {
    _id: new Date(7),
    regex: new BSON.BSONRegExp("^a.b/\\d", "im"),
    stamp: new Timestamp({ t: 4_000_000_000, i: 9 }),
    no: false,
    yes: true,
  },
];

test("varied documents, odd names and indexes come back byte for byte", async () => {
  await using source = await ownDatabase();
  const { db } = source;
  const names = ["orders", "with spaces", "ünïcödé", "dotted.name.here", "collections", "empty"];
  for (const name of names) await db.createCollection(name);
  for (const name of names.slice(0, -1)) await db.collection(name).insertMany(varied as never[], { ignoreUndefined: false });
  await db.createCollection("capped", { capped: true, size: 100_000, max: 50 });
  await db.collection<{ _id: number }>("capped").insertMany([{ _id: 1 }, { _id: 2 }]);
  await db.collection("orders").createIndex({ uuid: 1, nested: -1 }, { name: "u n" });
  await db.collection("with spaces").createIndex({ _id: 1, no: 1 }, { unique: true, name: "only one" });

  const streams = await capture(source.url);
  assert.deepEqual(
    rowsOf(streams)
      .map(({ name }) => name)
      .sort(),
    [...names, "capped"].sort(),
  );
  assert.equal(sortedDocuments(streams.find(({ name }) => name === "orders")!.content).length, varied.length);

  const scratch = `${source.name}_scratch`;
  const target = await mongodb.createScratch(source.url, scratch, never);
  try {
    const back = await restoreAll(target, streams);
    for (const { name, content } of rowsOf(streams)) assert.deepEqual(sortedDocuments(back.get(name)!), sortedDocuments(content), name);
    const again = await capture(target);
    assert.equal(definitionsOf(again)[0]!.content.toString(), definitionsOf(streams)[0]!.content.toString(), "options and indexes too");
    assert.match(definitionsOf(again)[0]!.content.toString(), /"name":"only one","unique":true/);
  } finally {
    await mongodb.dropScratch(source.url, scratch, never);
  }
  await mongodb.dropScratch(source.url, scratch, never);
});

test("60,000 small documents and a large one", async () => {
  await using source = await ownDatabase();
  for (let from = 0; from < 60_000; from += 20_000)
    await source.db
      .collection<{ _id: number }>("small")
      .insertMany(Array.from({ length: 20_000 }, (_, index) => ({ _id: from + index, word: `w${index}`, flag: index % 2 === 0 })));
  await source.db.collection("large").insertOne({ blob: new Binary(Buffer.alloc(5_000_000, 7)) });
  const streams = await capture(source.url);
  assert.equal(sortedDocuments(streams.find(({ name }) => name === "small")!.content).length, 60_000);
  await using target = await ownDatabase();
  const back = await restoreAll(target.url, streams);
  for (const { name, content } of rowsOf(streams)) assert.deepEqual(sortedDocuments(back.get(name)!), sortedDocuments(content));
});

test("an empty database gives definitions only, and can be restored", async () => {
  await using source = await ownDatabase();
  const streams = await capture(source.url);
  assert.deepEqual(
    streams.map(({ name, content }) => [name, content.toString()]),
    [["$collections", "[]\n"]],
  );
  await using target = await ownDatabase();
  assert.equal((await restoreAll(target.url, streams)).size, 0);
});

test("a target that holds anything is refused and left alone, unless it is to be replaced", async () => {
  await using source = await ownDatabase();
  await source.db.collection("orders").insertMany(varied as never[]);
  const streams = await capture(source.url);
  await using target = await ownDatabase();
  await target.db.createCollection("orders");
  await target.db.createCollection("other");
  await assert.rejects(restoreAll(target.url, streams), (error) => {
    assert.ok(isFailure(error, "TargetNotEmpty"));
    assert.match(error.message, /is not empty: it holds 2 collections and views, among them "orders"\.$/);
    return true;
  });
  assert.equal(await target.db.collection("orders").countDocuments(), 0);
  const back = await restoreAll(target.url, streams, true);
  assert.deepEqual(sortedDocuments(back.get("orders")!), sortedDocuments(streams[1]!.content));
  assert.deepEqual(
    (await target.db.listCollections().toArray()).map(({ name }) => name),
    ["orders"],
  );
});

test("a part that is written again adds nothing; another document under an _id is refused", async () => {
  await using source = await ownDatabase();
  await source.db.collection("orders").insertMany(varied as never[]);
  const streams = await capture(source.url);
  const [orders] = rowsOf(streams);
  await using target = await ownDatabase();
  const restoration = await mongodb.restore(target.url, { replace: false, definitions: definitionsOf(streams), parallelism: 1 }, never);
  try {
    await restoration.prepare();
    await restoration.write(orders!, pieces(orders!.content.subarray(0, orders!.content.readInt32LE(0))));
    await restoration.write(orders!, pieces(orders!.content));
    await restoration.write(orders!, pieces(orders!.content));
    assert.equal(await target.db.collection("orders").countDocuments(), varied.length);
    const other = Buffer.from(BSON.serialize({ _id: "text id", else: true }));
    await assert.rejects(restoration.write(orders!, pieces(other)), (error) => {
      assert.ok(isFailure(error, "RestoreFailed"));
      assert.match(error.message, /"orders" .* holds another document under an _id of the snapshot/);
      return true;
    });
    await assert.rejects(restoration.write(orders!, pieces(Buffer.from(BSON.serialize({ _id: "new", $bad: 1 })))), (error) => {
      assert.ok(isFailure(error, "RestoreFailed"));
      assert.match(error.message, /refused 1 documents for collection "orders"/);
      return true;
    });
  } finally {
    await restoration.close();
  }
});

test("a scratch database left by an earlier attempt is emptied; the database itself is never one", async () => {
  await using source = await ownDatabase();
  const name = `${source.name}_left`;
  const url = await mongodb.createScratch(source.url, name, never);
  assert.equal(new URL(url).pathname, `/${name}`);
  await using left = { [Symbol.asyncDispose]: () => mongodb.dropScratch(source.url, name, never) };
  assert.ok(left);
  const streams = await (async () => {
    await source.db.collection("orders").insertOne({});
    return capture(source.url);
  })();
  await restoreAll(url, streams);
  assert.equal((await capture(url)).length, 2);
  await mongodb.createScratch(source.url, name, never);
  assert.equal((await capture(url)).length, 1);
  for (const kept of [source.name, "admin"])
    await assert.rejects(mongodb.createScratch(source.url, kept, never), (error) => isFailure(error, "UsageInvalid"));
  assert.equal(await source.db.collection("orders").countDocuments(), 1);
});
