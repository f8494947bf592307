import assert from "node:assert/strict";
import { test } from "node:test";
import { type Document, Timestamp } from "mongodb";
import { mongodb } from "../../core/databases/mongodb/mongodb.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { scriptedPeer } from "./mongodb-scripted-peer.ts";

const signal = new AbortController().signal;
const now = new Timestamp({ t: 1_790_000_000, i: 7 });
const collections = (...names: string[]): Document => ({
  cursor: {
    id: 0n,
    ns: "shop.$cmd.listCollections",
    firstBatch: names.map((name) => ({ name, type: "collection", options: {}, info: {} })),
  },
});
const found = (atClusterTime?: unknown): Document => ({
  cursor: { id: 0n, ns: "shop.orders", firstBatch: [], ...(atClusterTime === undefined ? {} : { atClusterTime }) },
});
const tooOld = { ok: 0, code: 239, codeName: "SnapshotTooOld", errmsg: "Read timestamp is older than the oldest available timestamp." };

/** A server that reads at the time that it is asked for, as its history allows. */
const honest = (command: Document, name: string): Document | undefined => {
  if (name === "listCollections") return collections("orders");
  if (name !== "find") return undefined;
  const asked = command.readConcern?.atClusterTime as Timestamp | undefined;
  return asked === undefined ? found(now) : asked.equals(now) ? found(now) : tooOld;
};

test("a server that reads at a time, and only at times it has, gives a transactional hold", async () => {
  const peer = await scriptedPeer(honest);
  try {
    const hold = await mongodb.hold(peer.url, signal);
    assert.equal(hold.consistency, "transactional");
    assert.deepEqual(JSON.parse(hold.token), { atClusterTime: { t: 1_790_000_000, i: 7 } });
    await hold.close();
    assert.ok(
      peer.commands.every((command) => !("insert" in command) && !("create" in command)),
      "the proof writes nothing",
    );
  } finally {
    await peer.close();
  }
});

for (const [what, kind, script] of [
  ["gives no time", "replica set", (_: Document, name: string) => (name === "listCollections" ? collections("orders") : found())],
  [
    "gives a time and reads at any",
    "replica set",
    (_: Document, name: string) => (name === "listCollections" ? collections("orders") : found(now)),
  ],
  [
    "gives another time than it was asked for",
    "replica set",
    (command: Document, name: string) =>
      name === "listCollections"
        ? collections("orders")
        : command.readConcern?.atClusterTime
          ? found(new Timestamp({ t: 5, i: 5 }))
          : found(now),
  ],
  [
    "refuses the read concern",
    "replica set",
    (_: Document, name: string) =>
      name === "listCollections" ? collections("orders") : name === "find" ? { ok: 0, code: 72, errmsg: "no" } : undefined,
  ],
  ["is standalone", "standalone", honest],
  ["has no collection", "replica set", (_: Document, name: string) => (name === "listCollections" ? collections() : found(now))],
] as const)
  test(`a server that ${what} gives a per-collection hold`, async () => {
    const peer = await scriptedPeer(script, kind);
    try {
      const hold = await mongodb.hold(peer.url, signal);
      assert.deepEqual([hold.consistency, hold.token], ["per-collection", "none"]);
      await hold.close();
    } finally {
      await peer.close();
    }
  });

test("where no time can be read at, what a majority has is read, after a time that it had reached", async () => {
  const peer = await scriptedPeer((command, name) => {
    if (name === "listCollections") return collections("orders");
    if (name !== "find") return undefined;
    const { level } = command.readConcern ?? {};
    return level === "snapshot"
      ? { ok: 0, code: 72, errmsg: "no" }
      : { ...found(), ...(level === "majority" ? { operationTime: now } : {}) };
  });
  try {
    const hold = await mongodb.hold(peer.url, signal);
    assert.equal(hold.consistency, "per-collection");
    assert.deepEqual(JSON.parse(hold.token), { operationTime: { t: 1_790_000_000, i: 7 } });
    const { streams } = await mongodb.plan(peer.url, hold.token, { partBytes: 1 << 20 }, signal);
    const orders = streams.find(({ name }) => name === "orders")!;
    for await (const _ of mongodb.read(peer.url, hold.token, orders, orders.parts[0]!, signal)) assert.fail("no documents");
    assert.deepEqual(peer.commands.findLast((command) => "find" in command)!.readConcern, { level: "majority" });
    await hold.close();
  } finally {
    await peer.close();
  }
});

test("reads under a token ask for its time, and a history that is gone is a lost hold", async () => {
  const peer = await scriptedPeer(honest);
  try {
    const plan = await mongodb.plan(
      peer.url,
      JSON.stringify({ atClusterTime: { t: 1_790_000_000, i: 7 } }),
      { partBytes: 1 << 20 },
      signal,
    );
    const stream = plan.streams.find(({ name }) => name === "orders")!;
    const read = async (t: number): Promise<void> => {
      const token = JSON.stringify({ atClusterTime: { t, i: 7 } });
      for await (const _ of mongodb.read(peer.url, token, stream, stream.parts[0]!, signal)) assert.fail("no documents");
    };
    await read(1_790_000_000);
    const { readConcern } = peer.commands.findLast((command) => "find" in command)!;
    assert.equal(readConcern.level, "snapshot");
    assert.ok(now.equals(readConcern.atClusterTime));
    await assert.rejects(read(1_700_000_000), (error) => isFailure(error, "HoldLost"));
  } finally {
    await peer.close();
  }
});
