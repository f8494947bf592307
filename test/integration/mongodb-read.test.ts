import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { BSON, type Document, MongoClient } from "mongodb";
import { mongodb } from "../../core/databases/mongodb/mongodb.ts";
import type { RowsSelector } from "../../core/databases/mongodb/plan.ts";
import { rangesOf } from "../../core/databases/mongodb/split.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { findProgram } from "../stack/programs.ts";
import { never, ownDatabase, sortedDocuments } from "./mongodb-place.ts";
import { freePort } from "./mongodb-real-server.ts";

const many = (count: number, width = 100): Document[] =>
  Array.from({ length: count }, (_, index) => ({ _id: index, text: "y".repeat(width) }));

const streamOf = async (url: string, name: string) => {
  const plan = await mongodb.plan(url, "none", { partBytes: 1 << 20 }, never);
  return plan.streams.find((stream) => stream.name === name)!;
};

test("the probe says what the server is, and the hold that nothing was held", async () => {
  await using place = await ownDatabase();
  await place.db.collection<Document>("orders").insertMany(many(10));
  const probe = await mongodb.probe(place.url, never);
  assert.match(probe.version, /^\d+\.\d+\.\d+/);
  assert.equal(probe.databaseName, place.name);
  assert.ok(probe.estimatedBytes > 0);
  assert.deepEqual(probe.problems, []);
  const hold = await mongodb.hold(place.url, never);
  assert.deepEqual([hold.consistency, hold.token], ["per-collection", "none"]);
  await hold.close();
  const { notes } = await mongodb.plan(place.url, "none", { partBytes: 1 << 20 }, never);
  assert.match(notes[0]!, /no snapshot reads that could be proven/);
});

test("ranges of ids read every document once, ids of other types too", async () => {
  await using place = await ownDatabase();
  const documents = [
    ...many(500),
    { _id: "a" },
    { _id: "b" },
    { _id: new BSON.ObjectId() },
    { _id: new Date(1_700_000_000_000) },
    { _id: { a: 1 } },
  ];
  await place.db.collection<Document>("orders").insertMany(documents);
  const stream = await streamOf(place.url, "orders");
  const whole = stream.parts[0]!.selector as RowsSelector;
  const read: Buffer[] = [];
  for (const range of rangesOf([new BSON.Int32(100), new BSON.Int32(101), new BSON.Int32(400)])) {
    const selector: RowsSelector = { ...whole, range };
    for await (const block of mongodb.read(place.url, "none", stream, { selector, estimatedBytes: 0 }, never))
      read.push(Buffer.from(block));
  }
  const sorted = sortedDocuments(Buffer.concat(read));
  assert.equal(sorted.length, documents.length);
  assert.equal(new Set(sorted).size, documents.length);
});

test("a collection that is dropped, or replaced by another of its name, is told", async () => {
  await using place = await ownDatabase();
  await place.db.collection<Document>("orders").insertMany(many(10));
  const stream = await streamOf(place.url, "orders");
  const readAll = async (): Promise<void> => {
    for await (const _ of mongodb.read(place.url, "none", stream, stream.parts[0]!, never));
  };
  await readAll();
  await place.db.collection("orders").drop();
  const told = (why: RegExp) => (error: unknown) => {
    assert.ok(isFailure(error, "SourceChanged"), String(error));
    assert.match(error.message, why);
    return true;
  };
  await assert.rejects(readAll(), told(/Collection "orders" of .* was dropped or renamed during the capture/));
  const plan = await mongodb.plan(place.url, "none", { partBytes: 1 << 20 }, never);
  await place.db.createCollection("orders");
  await assert.rejects(readAll(), told(/was replaced by another of that name/));
  const [definitions] = plan.streams;
  for await (const block of mongodb.read(place.url, "none", definitions!, definitions!.parts[0]!, never))
    assert.equal(Buffer.from(block).toString(), "[]\n", "what came after the plan is not in it");
});

test("a collection that is dropped while it is read is told", async () => {
  await using place = await ownDatabase();
  await place.db.collection<Document>("orders").insertMany(many(12_000, 1_000));
  const stream = await streamOf(place.url, "orders");
  const read = async (): Promise<void> => {
    let first = true;
    for await (const _ of mongodb.read(place.url, "none", stream, stream.parts[0]!, never)) {
      if (first) await place.db.collection("orders").drop();
      first = false;
    }
  };
  await assert.rejects(read(), (error) => isFailure(error, "SourceChanged"));
});

test("an abort ends a reading with its own reason", async () => {
  await using place = await ownDatabase();
  await place.db.collection<Document>("orders").insertMany(many(12_000, 1_000));
  const stream = await streamOf(place.url, "orders");
  const abort = new AbortController();
  const reason = new Error("enough");
  const read = async (): Promise<void> => {
    for await (const _ of mongodb.read(place.url, "none", stream, stream.parts[0]!, abort.signal)) abort.abort(reason);
  };
  await assert.rejects(read(), (error) => error === reason);
  await assert.rejects(mongodb.probe(place.url, AbortSignal.abort(reason)), (error) => error === reason);
});

test("a server that cannot be reached, or dies while it is read, is told, and the password is not", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dbgov-mongodb-"));
  const port = await freePort();
  let server: ChildProcess | undefined;
  const url = `mongodb://joe:hunter2@127.0.0.1:${port}/shop?authMechanism=PLAIN`;
  const told = (error: unknown) => {
    assert.ok(isFailure(error, "DatabaseUnreachable"), String(error));
    assert.match(error.message, new RegExp(`MongoDB at 127\\.0\\.0\\.1:${port}/shop`));
    assert.doesNotMatch(error.message, /hunter2|joe/);
    return true;
  };
  try {
    server = spawn(await findProgram("ferretdb", () => undefined), [`127.0.0.1:${port}`, folder], { stdio: "ignore" });
    const client = new MongoClient(url);
    await client.db().collection<Document>("orders").insertMany(many(20_000, 1_000));
    await client.close();
    const stream = await streamOf(url, "orders");
    const read = async (): Promise<void> => {
      let blocks = 0;
      for await (const _ of mongodb.read(url, "none", stream, stream.parts[0]!, never)) {
        blocks += 1;
        if (blocks === 1) {
          server!.kill("SIGKILL");
          await once(server!, "exit");
        }
      }
    };
    await assert.rejects(read(), told);
  } finally {
    server?.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
  await assert.rejects(mongodb.probe(`${url}&serverSelectionTimeoutMS=300`, never), told);
});

test("a user whom the server does not take is told", async () => {
  await using place = await ownDatabase();
  await assert.rejects(mongodb.probe(place.url.replace("//", "//joe:hunter2@"), never), (error) => {
    assert.ok(isFailure(error, "AuthenticationRejected"), String(error));
    assert.doesNotMatch(error.message, /hunter2|joe/);
    return true;
  });
  await assert.rejects(mongodb.plan(place.url.replace(place.name, "admin"), "none", { partBytes: 1 }, never), (error) =>
    isFailure(error, "ConfigurationInvalid"),
  );
  await assert.rejects(mongodb.probe(`${place.url}?nonsense=1`, never), (error) => {
    assert.ok(isFailure(error, "ConfigurationInvalid"));
    assert.match(error.message, /nonsense/);
    return true;
  });
});
