import assert from "node:assert/strict";
import { test } from "node:test";
import { mongodb } from "../../core/databases/mongodb/mongodb.ts";
import { type FailureType, isFailure } from "../../core/domain/failure.ts";
import { scriptedPeer } from "./mongodb-scripted-peer.ts";

const signal = new AbortController().signal;
const listed = (name: string) => ({
  cursor: { id: 0n, ns: "shop.$cmd.listCollections", firstBatch: [{ name, type: "collection", options: {}, info: {} }] },
});

for (const [code, errmsg, type] of [
  [18, "Authentication failed.", "AuthenticationRejected"],
  [8000, "bad auth : Authentication failed.", "AuthenticationRejected"],
  [8000, "(Unauthorized) not authorized on shop to execute command", "PermissionMissing"],
  [13, "not authorized on shop to execute command { listCollections: 1 }", "PermissionMissing"],
  [11600, "interrupted at shutdown", "DatabaseUnreachable"],
  [13435, "not primary", "DatabaseUnreachable"],
  [246, "Unable to read from a snapshot due to pending collection catalog changes", "SourceChanged"],
  [2, "BadValue", "Unexpected"],
] as const satisfies readonly (readonly [number, string, FailureType])[])
  test(`server error ${code} (${errmsg}) is ${type}`, async () => {
    const peer = await scriptedPeer((_, name) => (name === "listCollections" ? { ok: 0, code, errmsg } : undefined));
    try {
      await assert.rejects(mongodb.plan(peer.url, "none", { partBytes: 1 << 20 }, signal), (error) => {
        assert.ok(isFailure(error, type), String(error));
        assert.match(error.message, /^MongoDB at 127\.0\.0\.1:\d+\/shop, planning: .+\.$/);
        assert.doesNotMatch(error.message, /[{}]/, "what may be content is cut off");
        return true;
      });
    } finally {
      await peer.close();
    }
  });

test("a wrong password is told as such, and the password is not", async () => {
  const peer = await scriptedPeer((_, name) =>
    name.startsWith("sasl")
      ? { ok: 0, code: 18, codeName: "AuthenticationFailed", errmsg: "Authentication failed for s3cr%t/pass." }
      : undefined,
  );
  try {
    const url = peer.url.replace("mongodb://", "mongodb://joe:s3cr%25t%2Fpass@");
    await assert.rejects(mongodb.probe(url, signal), (error) => {
      assert.ok(isFailure(error, "AuthenticationRejected"), String(error));
      assert.doesNotMatch(error.message, /s3cr|joe/);
      return true;
    });
  } finally {
    await peer.close();
  }
});

test("a permission that is missing is a problem of the probe, not its failure", async () => {
  const peer = await scriptedPeer((_, name) => {
    if (name === "buildInfo") return { version: "8.0.4" };
    if (name === "listCollections") return listed("orders");
    if (name === "listIndexes") return { cursor: { id: 0n, ns: "shop.orders", firstBatch: [] } };
    if (name === "find")
      return { ok: 0, code: 13, codeName: "Unauthorized", errmsg: "not authorized on shop to execute command { find: 1 }" };
    return undefined;
  });
  try {
    const probe = await mongodb.probe(peer.url, signal);
    assert.equal(probe.version, "8.0.4");
    assert.deepEqual(
      probe.problems.map(({ type }) => type),
      ["PermissionMissing"],
    );
    assert.match(probe.problems[0]!.message, /reading "orders": the user lacks a permission \(Unauthorized 13/);
  } finally {
    await peer.close();
  }
});

test("behind a router the driver's own cursor reads, to the same bytes", async () => {
  const documents = [
    { _id: 1, a: "x" },
    { _id: 2, b: [1, { c: null }] },
  ];
  const reply = (batch: "firstBatch" | "nextBatch", id: bigint, document: object) => ({
    cursor: { id, ns: "shop.orders", [batch]: [document] },
  });
  const streams = [];
  for (const kind of ["router", "replica set"] as const) {
    const peer = await scriptedPeer((_, name) => {
      if (name === "listCollections") return listed("orders");
      if (name === "find") return reply("firstBatch", 99n, documents[0]!);
      if (name === "getMore") return reply("nextBatch", 0n, documents[1]!);
      return undefined;
    }, kind);
    try {
      const plan = await mongodb.plan(peer.url, "none", { partBytes: 1 << 20 }, signal);
      const stream = plan.streams.find(({ name }) => name === "orders")!;
      const blocks: Buffer[] = [];
      for await (const block of mongodb.read(peer.url, "none", stream, stream.parts[0]!, signal)) blocks.push(Buffer.from(block));
      streams.push(Buffer.concat(blocks).toString("hex"));
    } finally {
      await peer.close();
    }
  }
  assert.equal(streams[0], streams[1]);
  assert.ok(streams[0]!.length > 80);
});

for (const [how, kind] of [
  ["an abort", "replica set"],
  ["a consumer that turns away", "replica set"],
  ["an abort", "router"],
  ["a consumer that turns away", "router"],
] as const)
  test(`${how} kills the cursor on a ${kind}`, async () => {
    const batch = (name: string) => ({ cursor: { id: 99n, ns: "shop.orders", [name]: [{ _id: 1 }] } });
    const peer = await scriptedPeer((_, name) => {
      if (name === "listCollections") return listed("orders");
      return name === "find" ? batch("firstBatch") : name === "getMore" ? batch("nextBatch") : undefined;
    }, kind);
    try {
      const plan = await mongodb.plan(peer.url, "none", { partBytes: 1 << 20 }, signal);
      const stream = plan.streams.find(({ name }) => name === "orders")!;
      const abort = new AbortController();
      const read = async (): Promise<void> => {
        for await (const _ of mongodb.read(peer.url, "none", stream, stream.parts[0]!, abort.signal)) {
          if (how !== "an abort") return;
          abort.abort(new Error("enough"));
        }
      };
      if (how === "an abort") await assert.rejects(read(), /enough/);
      else await read();
      const killed = peer.commands.filter((command) => "killCursors" in command);
      assert.deepEqual(
        killed.map(({ killCursors, cursors }) => [killCursors, cursors.map(String)]),
        [["orders", ["99"]]],
      );
    } finally {
      await peer.close();
    }
  });
