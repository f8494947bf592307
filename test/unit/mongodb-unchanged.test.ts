import assert from "node:assert/strict";
import { test } from "node:test";
import { BSON, type Document, Timestamp } from "mongodb";
import type { Plan } from "../../core/databases/engine.ts";
import { mongodb } from "../../core/databases/mongodb/mongodb.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { type Script, scriptedPeer } from "./mongodb-scripted-peer.ts";

/** What a replica set of MongoDB's says, as its documentation has it; no server that can be had here loses its history or steps down when asked. */

const signal = new AbortController().signal;
const at = (i: number): Timestamp => new Timestamp({ t: 1_790_000_000, i });
const token = (i: number): string => JSON.stringify({ operationTime: { t: 1_790_000_000, i } });
const uuid = new BSON.UUID("56e1fc72-e0c9-4714-8161-aabbccddeeff");
const cursor = (batch: Document[], id = 0n, name = "firstBatch"): Document => ({
  cursor: { id: BSON.Long.fromBigInt(id), ns: "shop.x", [name]: batch },
});
const event = (i: number, coll: string, more: Document = {}): Document => ({
  operationType: "update",
  clusterTime: at(i),
  ns: { db: "shop", coll },
  documentKey: { _id: 1 },
  ...more,
});

/** A server with two collections of three documents each, whose change stream is scripted: one reply for each time that it is asked. */
const server =
  (stream: Document[], now = at(9)): Script =>
  (command, name) => {
    if (name === "listCollections")
      return cursor(["a", "b"].map((each) => ({ name: each, type: "collection", options: {}, info: { uuid: uuid } })));
    // What is read outside a snapshot is looked at up to what a majority has now.
    if (name === "find") return { ...cursor([]), operationTime: now };
    if (name === "aggregate" && typeof command.aggregate === "string") return cursor([{ rows: 3 }]);
    if (name === "aggregate" || name === "getMore") return stream.shift() ?? assert.fail("asked once too often");
    return undefined;
  };

async function ask(
  replies: Document[],
  since = 5,
  until = 9,
  now = at(until),
): Promise<{ answer: readonly boolean[]; commands: Document[] }> {
  const peer = await scriptedPeer(server([...replies], now));
  try {
    const before = await mongodb.plan(peer.url, token(since), { partBytes: 1 << 20 }, signal);
    const now = await mongodb.plan(peer.url, token(until), { partBytes: 1 << 20 }, signal);
    const markIn = (plan: Plan, name: string) => plan.streams.find((each) => each.name === name)!.mark;
    const parts = now.streams
      .filter(({ kind }) => kind === "rows")
      .map((each) => ({ stream: each, part: each.parts[0]!, mark: markIn(before, each.name), rows: 3 }));
    assert.equal(parts.length, 2);
    return { answer: await mongodb.unchanged!(peer.url, token(until), parts, () => undefined, signal), commands: peer.commands };
  } finally {
    await peer.close();
  }
}

const reached = { operationTime: at(9) };

test("a stream is followed until its end is seen with the snapshot's time in history; only ids travel", async () => {
  const { answer, commands } = await ask([
    { ...cursor([], 7n), operationTime: at(6) },
    { ...cursor([], 7n, "nextBatch"), ...reached },
    { ...cursor([event(8, "a")], 7n, "nextBatch"), ...reached },
    { ...cursor([], 7n, "nextBatch"), ...reached },
  ]);
  assert.deepEqual(answer, [false, true]);
  const opened = commands.find((command) => command.aggregate?.valueOf() === 1)!;
  assert.ok(at(6).equals(opened.pipeline[0].$changeStream.startAtOperationTime), "from the first moment after the earlier snapshot");
  assert.deepEqual(Object.keys(opened.pipeline[1].$project), ["operationType", "clusterTime", "ns", "to", "documentKey._id"]);
  assert.ok(commands.some((command) => "killCursors" in command));
});

/** A reply that also says how far the server has looked, by a token as MongoDB makes them. */
const looked = (i: number, batch: Document[], name = "nextBatch"): Document => {
  const { cursor: replied } = cursor(batch, 7n, name);
  const _data = `82${(1_790_000_000).toString(16)}${i.toString(16).padStart(8, "0")}2B0229296E04`.toUpperCase();
  return { cursor: { ...replied, postBatchResumeToken: { _data } }, operationTime: at(12) };
};

test("an empty batch is not the end of history where the server says that it has not looked so far", async () => {
  const slow = [looked(6, [], "firstBatch"), looked(6, []), looked(8, []), looked(9, [event(9, "b")]), looked(9, [])];
  assert.deepEqual((await ask(slow)).answer, [true, false]);
  const { answer } = await ask([looked(6, [], "firstBatch"), looked(10, [])]);
  assert.deepEqual(answer, [true, true], "nothing is left once it has looked beyond");
});

test("a token of another server's making tells no time, whatever its first byte", async () => {
  const postBatchResumeToken = { _data: "82000000107300010000000000026e00" };
  const end = { cursor: { ...cursor([], 7n, "nextBatch").cursor, postBatchResumeToken }, ...reached };
  assert.deepEqual((await ask([{ ...cursor([], 7n), ...reached }, end])).answer, [true, true]);
});

test("an event after the snapshot's time ends it, on a server that never comes to rest", async () => {
  const { answer } = await ask([{ ...cursor([event(10, "b")], 7n), operationTime: at(10) }]);
  assert.deepEqual(answer, [true, false], "what came later counts too, where reading is not at the time");
});

test("what is read outside a snapshot is followed up to now, not up to the time of the hold", async () => {
  const { answer } = await ask(
    [
      { ...cursor([], 7n), ...reached },
      { ...cursor([event(11, "b")], 7n, "nextBatch"), operationTime: at(12) },
      { ...cursor([], 7n, "nextBatch"), operationTime: at(12) },
    ],
    5,
    9,
    at(12),
  );
  assert.deepEqual(answer, [true, false]);
});

test("renames, drops and what is unknown stand for all of a collection; an invalidation for everything", async () => {
  const end = { ...cursor([], 7n, "nextBatch"), ...reached };
  const renamed = event(7, "other", { operationType: "rename", to: { db: "shop", coll: "b" }, documentKey: undefined });
  assert.deepEqual((await ask([{ ...cursor([renamed], 7n), ...reached }, end])).answer, [true, false]);
  const unknown = event(7, "a", { operationType: "somethingNew", documentKey: undefined });
  assert.deepEqual((await ask([{ ...cursor([unknown], 7n), ...reached }, end])).answer, [false, true]);
  const gone = [
    event(7, "", { operationType: "dropDatabase", ns: { db: "shop" }, documentKey: undefined }),
    { operationType: "invalidate", clusterTime: at(7) },
  ];
  assert.deepEqual((await ask([{ ...cursor(gone, 0n), ...reached }])).answer, [false, false]);
  assert.deepEqual((await ask([{ ...cursor([], 0n), ...reached }])).answer, [false, false], "closed without a word");
});

for (const [what, reply] of [
  [
    "whose history no longer reaches back",
    { ok: 0, code: 286, codeName: "ChangeStreamHistoryLost", errmsg: "the resume point may no longer be in the oplog" },
  ],
  ["that has no change streams", { ok: 0, code: 40573, errmsg: "The $changeStream stage is only supported on replica sets" }],
  ["whose user may not watch", { ok: 0, code: 13, codeName: "Unauthorized", errmsg: "not authorized on shop to execute command" }],
] as const)
  test(`a server ${what} calls nothing unchanged`, async () => {
    assert.deepEqual((await ask([reply])).answer, [false, false]);
  });

test("a server that steps down meanwhile is one to ask again", async () => {
  await assert.rejects(ask([{ ok: 0, code: 189, codeName: "PrimarySteppedDown", errmsg: "stepped down" }]), (error) =>
    isFailure(error, "DatabaseUnreachable"),
  );
});

test("nothing is asked where no time has passed, and nothing is believed where time went back", async () => {
  const { answer, commands } = await ask([], 9, 9);
  assert.deepEqual(answer, [true, true]);
  assert.ok(!commands.some((command) => command.aggregate?.valueOf() === 1));
  assert.deepEqual((await ask([], 9, 5)).answer, [false, false]);
});
