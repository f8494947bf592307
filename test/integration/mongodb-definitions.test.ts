import assert from "node:assert/strict";
import { test } from "node:test";
import { BSON, type Document } from "mongodb";
import { mongodb } from "../../core/databases/mongodb/mongodb.ts";
import { type Captured, capture, definitionsOf, never, ownDatabase, pieces, restoreAll, rowsOf, sortedDocuments } from "./mongodb-place.ts";

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

test("a document of 16 MB comes and goes", async () => {
  await using source = await ownDatabase("secantus");
  // The largest that the protocol allows: 16 MiB , of which 22 bytes are not its content.
  const blob = Buffer.alloc(16 * 1_048_576 - 22, 7);
  await source.db.collection<{ _id: number }>("large").insertOne({ _id: 1, b: new BSON.Binary(blob) } as never);
  const streams = await capture(source.url);
  const large = streams.find(({ name }) => name === "large")!;
  assert.equal(large.content.readInt32LE(0), 16 * 1_048_576);
  await using target = await ownDatabase("secantus");
  const back = await restoreAll(target.url, streams);
  assert.ok(back.get("large")!.equals(large.content));
});

test("roles come back for the database that is restored into; users are named, since nobody has their passwords", async () => {
  await using source = await ownDatabase("secantus");
  await source.db.collection("orders").insertOne({ n: 1 });
  const find = { resource: { db: source.name, collection: "orders" }, actions: ["find"] };
  await source.db.command({ createRole: "z reader", privileges: [find], roles: [] });
  await source.db.command({ createRole: "a clerk", privileges: [], roles: [{ role: "z reader", db: source.name }] });
  await source.db.command({ createUser: "joe", pwd: "hunter2", roles: ["a clerk"] });
  const streams = await capture(source.url);
  const accounts = definitionsOf(streams)[1]!;
  assert.equal(accounts.name, "$users");
  assert.match(accounts.content.toString(), /"user":"joe"/);
  assert.doesNotMatch(accounts.content.toString(), /hunter2|SCRAM|storedKey/);

  const name = `${source.name}_scratch`;
  const url = await mongodb.createScratch(source.url, name, never);
  const scratch = source.db.client.db(name);
  const rolesThere = async () => (await scratch.command({ rolesInfo: 1, showPrivileges: true })).roles as Document[];
  try {
    const restoration = await mongodb.restore(url, { replace: false, definitions: definitionsOf(streams), parallelism: 1 }, never);
    await restoration.prepare();
    await restoration.finish();
    assert.deepEqual(restoration.notes, [`User "joe" (a clerk@${name}) is to be created with a password anew: MongoDB gives none back.`]);
    await restoration.close();
    const roles = await rolesThere();
    assert.deepEqual(roles.find(({ role }) => role === "z reader")!.privileges, [
      { ...find, resource: { db: name, collection: "orders" } },
    ]);
    assert.deepEqual(roles.find(({ role }) => role === "a clerk")!.roles, [{ role: "z reader", db: name }]);
    await restoreAll(url, streams, true);
    assert.equal((await rolesThere()).length, 2, "replaced");
  } finally {
    await mongodb.dropScratch(source.url, name, never);
  }
  assert.deepEqual(await rolesThere(), []);
  await source.db.command({ dropAllRolesFromDatabase: 1 });
  await source.db.command({ dropAllUsersFromDatabase: 1 });
});

test("a resumed restore writes measurements anew, also where the target shows buckets that the source did not", async () => {
  await using source = await ownDatabase("secantus");
  await source.db.command({ create: "series", timeseries: { timeField: "at", metaField: "of" } });
  await source.db.collection("series").insertMany(Array.from({ length: 20 }, (_, n) => ({ at: new Date(n * 1_000), of: n % 3, n })));
  await source.db.collection("plain").insertMany([{ n: 1 }, { n: 2 }]);
  const streams = await capture(source.url);
  await using target = await ownDatabase("secantus");
  const attempt = async (resume: boolean): Promise<string[]> => {
    const progress = { job: "00112233aabbccdd", resume };
    const options = { replace: false, definitions: definitionsOf(streams), parallelism: 1, progress };
    const restoration = await mongodb.restore(target.url, options, never);
    try {
      await restoration.prepare();
      for (const stream of rowsOf(streams))
        if (!restoration.written.has(stream.name)) await restoration.write(stream, pieces(stream.content), stream.name);
      if (resume) await restoration.finish();
      return [...restoration.written];
    } finally {
      await restoration.close();
    }
  };
  assert.deepEqual(await attempt(false), []);
  await target.db.command({ create: "system.buckets.series" });
  assert.deepEqual(await attempt(true), ["plain"]);
  assert.equal(await target.db.collection("series").countDocuments(), 20);
  assert.equal(await target.db.collection("plain").countDocuments(), 2);
});
