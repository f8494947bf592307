import assert from "node:assert/strict";
import { test } from "node:test";
import { BSON } from "mongodb";
import type { EarlierContent, Plan } from "../../core/databases/engine.ts";
import { mongodb } from "../../core/databases/mongodb/mongodb.ts";
import { never, ownDatabase, sortedDocuments } from "./mongodb-place.ts";

/** A snapshot, in so far as the next one has to do with it. */
interface Taken {
  readonly plan: Plan;
  readonly token: string;
  /** The documents of each part, by stream and part. */
  readonly content: ReadonlyMap<string, readonly string[]>;
}

const partBytes = 50_000;

async function take(url: string, before?: Taken): Promise<Taken> {
  const hold = await mongodb.hold(url, never);
  try {
    const earlier = Object.fromEntries(
      (before?.plan.streams ?? []).map(({ name, parts }) => [name, parts.map(({ selector }) => selector)]),
    );
    const plan = await mongodb.plan(url, hold.token, { partBytes, earlier }, never);
    const content = new Map<string, readonly string[]>();
    for (const stream of plan.streams)
      for (const part of stream.kind === "rows" ? stream.parts : []) {
        const blocks: Buffer[] = [];
        for await (const block of mongodb.read(url, hold.token, stream, part, never)) blocks.push(Buffer.from(block));
        content.set(JSON.stringify([stream.name, part.selector]), sortedDocuments(Buffer.concat(blocks)));
      }
    return { plan, token: hold.token, content };
  } finally {
    await hold.close();
  }
}

/** Asks what is unchanged since `before`, and checks that what is called so gives the very documents that it gave. */
async function unchangedSince(before: Taken, url: string): Promise<{ unchanged: number; candidates: number; parts: number; now: Taken }> {
  const now = await take(url, before);
  const candidates = now.plan.streams.flatMap((stream) =>
    stream.parts.flatMap((part): EarlierContent[] => {
      const place = JSON.stringify([stream.name, part.selector]);
      const { mark } = before.plan.streams.find(({ name }) => name === stream.name) ?? {};
      const rows = before.content.get(place)?.length;
      return mark === undefined || rows === undefined ? [] : [{ stream, part, mark, rows }];
    }),
  );
  const told: number[] = [];
  const answer = await mongodb.unchanged!(url, now.token, candidates, (done) => void told.push(done), never);
  assert.equal(answer.length, candidates.length);
  if (candidates.length > 0) assert.ok(told.at(-1)! <= candidates.length);
  candidates.forEach(({ stream, part }, index) => {
    const place = JSON.stringify([stream.name, part.selector]);
    if (answer[index]) assert.deepEqual(now.content.get(place), before.content.get(place), `called unchanged: ${place}`);
  });
  const parts = now.plan.streams.filter(({ kind }) => kind === "rows").reduce((sum, stream) => sum + stream.parts.length, 0);
  return { unchanged: answer.filter(Boolean).length, candidates: candidates.length, parts, now };
}

const many = (from: number, count: number) => Array.from({ length: count }, (_, at) => ({ _id: from + at, text: "x".repeat(200), n: 0 }));

test("only ranges whose documents changed are read again, and growth cuts only the last range", async () => {
  await using place = await ownDatabase("secantus");
  const orders = place.db.collection<{ _id: number; [field: string]: unknown }>("orders");
  await orders.insertMany(many(0, 1_500));
  await place.db.collection<{ _id: number }>("small").insertOne({ _id: 1 });
  const first = await take(place.url);
  const still = await unchangedSince(first, place.url);
  assert.ok(still.parts > 6, `${still.parts} parts`);
  assert.equal(still.unchanged, still.parts);

  await orders.updateOne({ _id: 1_000 }, { $set: { n: 1 } });
  const updated = await unchangedSince(first, place.url);
  assert.equal(updated.unchanged, updated.parts - 1);

  await orders.deleteOne({ _id: 0 });
  await orders.insertOne({ _id: 0, text: "another, under the same id" });
  const replaced = await unchangedSince(updated.now, place.url);
  assert.equal(replaced.unchanged, replaced.parts - 1);

  // A value that is equal and not identical, in the very last document.
  await orders.updateOne({ _id: 1_499 }, [{ $set: { n: { $literal: new BSON.Double(0) } } }]);
  const equal = await unchangedSince(replaced.now, place.url);
  assert.equal(equal.unchanged, equal.parts - 1);

  await orders.insertMany(many(1_500, 1_500));
  const grown = await unchangedSince(equal.now, place.url);
  assert.ok(grown.parts > equal.parts, "new ranges at the end");
  assert.ok(grown.unchanged >= equal.parts - 3, "nearly all of the old ones");
  assert.equal((await unchangedSince(grown.now, place.url)).unchanged, grown.parts);
});

test("ids of mixed types dirty the ranges that they are in", async () => {
  await using place = await ownDatabase("secantus");
  const mixed = place.db.collection<{ _id: unknown; touched?: number }>("mixed");
  const ids = Array.from({ length: 800 }, (_, at): unknown =>
    at % 4 === 0 ? `key ${at}` : at % 4 === 1 ? at : at % 4 === 2 ? new Date(at * 1_000) : new BSON.ObjectId(),
  );
  await mixed.insertMany([...ids, true, null, { a: 1 }].map((_id) => ({ _id, text: "x".repeat(450) })));
  const first = await take(place.url);
  assert.ok((await unchangedSince(first, place.url)).parts > 4);
  const all = [...first.content.values()].flat();
  assert.equal(all.length, 803, "every document");
  assert.equal(new Set(all).size, 803, "once");
  let before = first;
  for (const id of [ids[400], ids[401], ids[402], ids[403], true, { a: 1 }]) {
    await mixed.updateOne({ _id: { $eq: id } } as never, { $inc: { touched: 1 } });
    const after = await unchangedSince(before, place.url);
    assert.equal(after.unchanged, after.parts - 1, String(id));
    before = after.now;
  }
});

test("a collection that was dropped, renamed, made anew, or given other options is read", async () => {
  await using place = await ownDatabase("secantus");
  const names = ["dropped", "renamed", "modified", "kept"];
  for (const name of names) await place.db.collection<{ _id: number }>(name).insertMany(many(0, 10));
  const first = await take(place.url);
  assert.equal((await unchangedSince(first, place.url)).unchanged, 4);
  await place.db.collection("dropped").drop();
  await place.db.collection<{ _id: number }>("dropped").insertMany(many(0, 10));
  await place.db.collection("renamed").rename("other");
  await place.db.collection("other").rename("renamed");
  await place.db.command({ collMod: "modified", validator: { n: { $type: "number" } } });
  await place.db.collection("kept").createIndex({ n: 1 });
  const after = await unchangedSince(first, place.url);
  assert.equal(after.unchanged, 1, "only the one that was kept");
  await place.db.dropDatabase();
  assert.equal((await unchangedSince(after.now, place.url)).unchanged, 0);
});

test("without a change stream, or with a time that is not in its history, nothing is called unchanged", async () => {
  await using place = await ownDatabase("mongodb");
  await place.db.collection<{ _id: number }>("orders").insertMany(many(0, 10));
  const first = await take(place.url);
  assert.ok(first.plan.streams.every(({ mark }) => mark === undefined));
  assert.equal((await unchangedSince(first, place.url)).candidates, 0);

  await using real = await ownDatabase("secantus");
  await real.db.collection<{ _id: number }>("orders").insertMany(many(0, 10));
  const taken = await take(real.url);
  const [stream] = taken.plan.streams.filter(({ kind }) => kind === "rows");
  const ask = async (mark: object, rows = 10): Promise<readonly boolean[]> =>
    mongodb.unchanged!(real.url, taken.token, [{ stream: stream!, part: stream!.parts[0]!, mark, rows }], () => undefined, never);
  const mark = stream!.mark as { time: { t: number; i: number }; server: string; collection: string };
  assert.deepEqual(await ask(mark), [true]);
  assert.deepEqual(await ask(mark, 11), [false], "another count");
  assert.deepEqual(await ask({ ...mark, server: "another" }), [false]);
  assert.deepEqual(await ask({ ...mark, collection: "another" }), [false]);
  assert.deepEqual(await ask({ ...mark, time: { ...mark.time, t: mark.time.t + 60 } }), [false], "a later time than now");
});

test("what is read as it is then is looked at up to now, not up to the time of the hold", async () => {
  await using place = await ownDatabase("secantus");
  const orders = place.db.collection<{ _id: number; [field: string]: unknown }>("orders");
  await orders.insertMany(many(0, 10));
  await place.db.collection<{ _id: number }>("busy").insertMany(many(0, 1));
  const { plan, token } = await take(place.url);
  const stream = plan.streams.find(({ name }) => name === "orders")!;
  assert.equal((stream.parts[0]!.selector as { snapshot: boolean }).snapshot, false);
  const asked = [{ stream, part: stream.parts[0]!, mark: stream.mark!, rows: 10 }];
  const ask = () => mongodb.unchanged!(place.url, token, asked, () => undefined, never);
  assert.deepEqual(await ask(), [true]);
  // More than the first answer of a change stream holds.
  for (let n = 1; n <= 150; n += 1) await place.db.collection<{ _id: number }>("busy").updateOne({ _id: 0 }, { $set: { n } });
  assert.deepEqual(await ask(), [true], "others have changed");
  await orders.updateOne({ _id: 5 }, { $set: { n: 1 } });
  assert.deepEqual(await ask(), [false]);
});
