import assert from "node:assert/strict";
import { test } from "node:test";
import { BSON, MongoClient } from "mongodb";
import { mongodb } from "../../core/databases/mongodb/mongodb.ts";
import { vectors } from "../unit/mongodb-bson-vectors.ts";
import { capture, definitionsOf, never, pieces, restoreAll, rowsOf, sortedDocuments } from "./mongodb-place.ts";
import { realReplicaSet, withoutMongod } from "./mongodb-real-server.ts";

test("a real mongod: one moment is read while writers go on, and the change stream says what changed", {
  skip: withoutMongod,
}, async () => {
  await using server = await realReplicaSet();
  await using client = new MongoClient(server.url);
  const db = client.db();
  const orders = db.collection<{ _id: number; n: number }>("orders");
  await orders.insertMany(Array.from({ length: 5_000 }, (_, _id) => ({ _id, n: 0 })));
  await db.command({ create: "log", capped: true, size: 100_000 });
  const hold = await mongodb.hold(server.url, never);
  try {
    assert.match(hold.token, /atClusterTime/);
    const plan = await mongodb.plan(server.url, hold.token, { partBytes: 20_000 }, never);
    assert.ok(plan.streams.find(({ name }) => name === "orders")!.parts.length > 2);
    await orders.updateMany({}, { $inc: { n: 1 } });
    for (const stream of plan.streams.filter(({ name }) => name === "orders"))
      for (const part of stream.parts)
        for await (const block of mongodb.read(server.url, hold.token, stream, part, never))
          for (const document of sortedDocuments(Buffer.from(block)))
            assert.equal(BSON.deserialize(Buffer.from(document, "hex")).n, 0, "as it was when the hold was opened");
  } finally {
    await hold.close();
  }
  const before = await mongodb.hold(server.url, never);
  const earlier = await mongodb.plan(server.url, before.token, { partBytes: 1 << 20 }, never);
  await before.close();
  const ask = async (): Promise<readonly boolean[]> => {
    const after = await mongodb.hold(server.url, never);
    try {
      const stream = earlier.streams.find(({ name }) => name === "orders")!;
      const now = await mongodb.plan(server.url, after.token, { partBytes: 1 << 20 }, never);
      const same = now.streams.find(({ name }) => name === "orders")!;
      const parts = [{ stream: same, part: same.parts[0]!, mark: stream.mark, rows: 5_000 }];
      return await mongodb.unchanged!(server.url, after.token, parts, () => undefined, never);
    } finally {
      await after.close();
    }
  };
  assert.deepEqual(await ask(), [true]);
  await orders.updateOne({ _id: 7 }, { $inc: { n: 1 } });
  assert.deepEqual(await ask(), [false]);
});

test("a real mongod: every type, kind of collection and kind of index comes back", { skip: withoutMongod }, async () => {
  await using server = await realReplicaSet();
  await using client = new MongoClient(server.url);
  const db = client.db();
  await db.createCollection("types");
  await db.command({ create: "series", timeseries: { timeField: "at", metaField: "of" } });
  await db.command({ create: "clustered", clusteredIndex: { key: { _id: 1 }, unique: true } });
  await db.command({ create: "images", changeStreamPreAndPostImages: { enabled: true } });
  await db.collection("series").insertMany(Array.from({ length: 50 }, (_, n) => ({ at: new Date(n * 1_000), of: n % 2, n })));
  const indexes = [
    { key: { words: "text", more: "text" }, name: "text", weights: { words: 5 }, default_language: "german" },
    { key: { h: "hashed" }, name: "hashed" },
    { key: { place: "2dsphere" }, name: "sphere" },
    { key: { "$**": 1 }, name: "wild", wildcardProjection: { secret: 0 } },
    { key: { c: 1 }, name: "french", collation: { locale: "fr", strength: 1 }, hidden: true, sparse: true },
    { key: { p: 1 }, name: "partial", partialFilterExpression: { p: { $gt: 5 } }, unique: true },
  ];
  await db.command({ createIndexes: "types", indexes });
  const writing = await mongodb.restore(server.url, { replace: true, definitions: [], parallelism: 1 }, never);
  let taken = 0;
  for (const [at, bytes] of Object.values(vectors).entries()) {
    const own = Buffer.from(bytes);
    own.writeInt32LE(at, 9);
    await writing.write({ name: "types", target: { collection: "types" }, framing: "bson" }, pieces(own)).then(
      () => (taken += 1),
      () => undefined,
    );
  }
  await writing.close();
  assert.ok(taken > 30, `${taken} of the vectors were taken`);
  const streams = await capture(server.url);
  const target = server.url.replace("/shop?", "/copy?");
  const back = await restoreAll(target, streams);
  for (const { name, content } of rowsOf(streams)) assert.deepEqual(sortedDocuments(back.get(name)!), sortedDocuments(content), name);
  assert.equal(definitionsOf(await capture(target))[0]!.content.toString(), definitionsOf(streams)[0]!.content.toString());
});
