import assert from "node:assert/strict";
import { test } from "node:test";
import { BSON, type Document, Timestamp } from "mongodb";
import { mongodb } from "../../core/databases/mongodb/mongodb.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { scriptedPair, scriptedPeer } from "./mongodb-scripted-peer.ts";

/** What shared tiers, members beside the primary and capped collections do, as documented; no server that can be had here does it. */

const signal = new AbortController().signal;
const now = new Timestamp({ t: 1_790_000_000, i: 7 });
const cursor = (batch: Document[], more: Document = {}): Document => ({
  cursor: { id: BSON.Long.ZERO, ns: "shop.x", firstBatch: batch, ...more },
});
const collection = (name: string, options: Document = {}): Document => ({ name, type: "collection", options, info: {} });

const readAll = async (url: string, token: string): Promise<Buffer> => {
  const { streams } = await mongodb.plan(url, token, { partBytes: 1 << 20 }, signal);
  const blocks: Buffer[] = [];
  for (const stream of streams.filter(({ kind }) => kind === "rows"))
    for (const part of stream.parts)
      for await (const block of mongodb.read(url, token, stream, part, signal)) blocks.push(Buffer.from(block));
  return Buffer.concat(blocks);
};

for (const [what, refusal] of [
  ["16500 with a pause of its own", { ok: 0, code: 16500, errmsg: "Error=16500, RetryAfterMs=20, Details='Request rate is large'" }],
  ["an ingress limit", { ok: 0, code: 462, codeName: "IngressRequestRateLimitExceeded", errmsg: "rate" }],
  ["overload labels", { ok: 0, code: 1, errmsg: "busy", errorLabels: ["SystemOverloadedError", "RetryableError"] }],
  ["Atlas's words", { ok: 0, code: 8000, codeName: "AtlasError", errmsg: "too many requests per second" }],
] as const)
  test(`a server that throttles with ${what} is asked again, and everything is read once`, async () => {
    let asked = 0;
    const peer = await scriptedPeer((_, name) => {
      if (name === "listCollections") return cursor([collection("orders")]);
      // Every second command is refused.
      if (name !== "find") return undefined;
      asked += 1;
      return asked % 2 === 1 ? refusal : cursor([{ _id: 1 }]);
    });
    try {
      assert.deepEqual(BSON.deserialize(await readAll(peer.url, "none")), { _id: 1 });
      assert.equal(asked, 2);
    } finally {
      await peer.close();
    }
  });

test("however much is read at once, no more than eight connections carry it, or what the URL says", async () => {
  for (const [query, pool] of [
    ["", 8],
    ["?maxPoolSize=2", 2],
  ] as const) {
    const peer = await scriptedPeer((_, name) =>
      name === "listCollections" ? cursor([collection("orders")]) : name === "find" ? cursor([{ _id: 1 }]) : undefined,
    );
    try {
      await Promise.all(Array.from({ length: 40 }, () => readAll(`${peer.url}${query}`, "none")));
      // Beside the pool, the driver watches the server with two of its own.
      assert.ok(peer.mostConnections() <= pool + 2, `${peer.mostConnections()} connections`);
    } finally {
      await peer.close();
    }
  }
});

test("what is refused for another reason is not asked again", async () => {
  let asked = 0;
  const peer = await scriptedPeer((_, name) => {
    if (name === "listCollections") return cursor([collection("orders")]);
    if (name === "find") asked += 1;
    return name === "find" ? { ok: 0, code: 13, codeName: "Unauthorized", errmsg: "not authorized" } : undefined;
  });
  try {
    await assert.rejects(readAll(peer.url, "none"), (error) => isFailure(error, "PermissionMissing"));
    assert.equal(asked, 1);
  } finally {
    await peer.close();
  }
});

test("waiting for a server that throttles ends with its signal", async () => {
  const peer = await scriptedPeer((_, name) =>
    name === "find"
      ? { ok: 0, code: 16500, errmsg: "RetryAfterMs=60000" }
      : name === "listCollections"
        ? cursor([collection("orders")])
        : undefined,
  );
  const stop = new AbortController();
  try {
    const { streams } = await mongodb.plan(peer.url, "none", { partBytes: 1 << 20 }, signal);
    const reading = mongodb.read(peer.url, "none", streams[1]!, streams[1]!.parts[0]!, stop.signal)[Symbol.asyncIterator]().next();
    setTimeout(() => stop.abort(new Error("enough")), 50);
    await assert.rejects(reading, /enough/);
  } finally {
    await peer.close();
  }
});

test("the URL's read preference says where documents are read; the primary keeps the rest", async () => {
  const pair = await scriptedPair((_, name) =>
    name === "listCollections" ? cursor([collection("orders")]) : name === "find" ? cursor([{ _id: 1 }]) : undefined,
  );
  try {
    await readAll(`${pair.url}&readPreference=secondary`, "none");
    assert.ok(pair.secondary.commands.some((command) => "find" in command));
    assert.ok(!pair.primary.commands.some((command) => "find" in command));
    const before = pair.secondary.commands.length;
    await readAll(pair.url, "none");
    assert.equal(pair.secondary.commands.length, before);
    const { streams } = await mongodb.plan(
      `${pair.url}&readPreference=secondary`,
      JSON.stringify({ operationTime: { t: 1, i: 1 } }),
      { partBytes: 1 << 20 },
      signal,
    );
    assert.ok(
      streams.every(({ mark }) => mark === undefined),
      "a secondary may lag behind the mark's time",
    );
  } finally {
    await pair.close();
  }
});

for (const [what, capped, consistency] of [
  [
    "can be read at the snapshot's time",
    { cursor: { id: BSON.Long.ZERO, ns: "shop.log", firstBatch: [], atClusterTime: now } },
    "transactional",
  ],
  ["cannot be read at the snapshot's time", { ok: 0, code: 246, codeName: "SnapshotUnavailable", errmsg: "capped" }, "per-collection"],
] as const)
  test(`a capped collection that ${what} makes the snapshot ${consistency}`, async () => {
    const peer = await scriptedPeer((command, name) => {
      if (name === "listCollections") return cursor([collection("log", { capped: true, size: 100_000 }), collection("orders")]);
      if (name === "collStats") return { size: BSON.Long.fromNumber(1 << 30), avgObjSize: new BSON.Int32(100) };
      if (name !== "find") return undefined;
      if (command.find === "log" && command.readConcern !== undefined) return capped;
      const asked = command.readConcern?.atClusterTime as Timestamp | undefined;
      return asked === undefined || asked.equals(now) ? cursor([], { atClusterTime: now }) : { ok: 0, code: 239, errmsg: "too old" };
    });
    try {
      const hold = await mongodb.hold(peer.url, signal);
      assert.equal(hold.consistency, consistency);
      const { streams, notes } = await mongodb.plan(peer.url, hold.token, { partBytes: 1 << 20 }, signal);
      const log = streams.find(({ name }) => name === "log")!;
      assert.equal(log.parts.length, 1, "its order is its content");
      assert.equal((log.parts[0]!.selector as { snapshot: boolean }).snapshot, consistency === "transactional");
      assert.equal(
        notes.filter((note) => /"log" could not be read at the snapshot's time/.test(note)).length,
        consistency === "transactional" ? 0 : 1,
      );
      await hold.close();
    } finally {
      await peer.close();
    }
  });
