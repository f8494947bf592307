import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type DiffJob, diffSnapshot } from "../../core/snapshot/diff-snapshot.ts";
import type { SnapshotSource } from "../../core/snapshot/snapshot-reader.ts";
import { ownDatabase } from "./mongodb-place.ts";
import { type Server, useServer } from "./postgres-support.ts";
import { jobContext, openRepository } from "./stored-snapshot.ts";

describe("what changed since a snapshot", () => {
  let server: Server;
  let repository: Awaited<ReturnType<typeof openRepository>>;
  let url: string;
  let first: SnapshotSource;

  before(async () => {
    server = await useServer();
    repository = await openRepository();
    url = await server.database("diff");
    await server.sql(
      url,
      `CREATE TABLE keyed (note text, b int, "a,)" int, PRIMARY KEY ("a,)", b)); INSERT INTO keyed SELECT repeat('x', n % 200), n % 7, n FROM generate_series(1, 20000) n;
       CREATE TABLE plain (note text); INSERT INTO plain SELECT 'n' || n % 10 FROM generate_series(1, 100) n;
       CREATE TABLE same AS SELECT n FROM generate_series(1, 10000) n; CREATE TABLE dropped (x int); INSERT INTO dropped VALUES (1);
       CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE SEQUENCE s`,
    );
    first = await repository.capture("postgres", url);
  });
  after(async () => {
    await server?.cleanUp();
    await repository?.remove();
  });

  const diff = (after: DiffJob["after"], before = first) => diffSnapshot({ before, after }, jobContext());
  const live = (): DiffJob["after"] => ({ url, engine: "postgres" });

  it("is nothing, against the same database and a second snapshot of it", async () => {
    const now = await diff(live());
    assert.deepEqual([now.same, now.after, now.notes], [true, null, []]);
    assert.deepEqual(
      now.streams.map(({ name, state, before, after }) => [name, state, before, after]),
      [
        ["public.dropped", "same", 1, 1],
        ["public.keyed", "same", 20_000, 20_000],
        ["public.plain", "same", 100, 100],
        ["public.same", "same", 10_000, 10_000],
      ],
    );
    const again = await diff(await repository.capture("postgres", url));
    assert.deepEqual([again.same, again.bytesRead], [true, 0], "digests tell, and nothing is read");
  });

  it("is told by table and count, by key where there is one, and by definition", async () => {
    await server.sql(
      url,
      `DELETE FROM keyed WHERE "a,)" <= 3; UPDATE keyed SET note = 'other' WHERE "a,)" BETWEEN 100 AND 104; INSERT INTO keyed VALUES ('new', 0, 30001), ('new', 1, 30002);
       DELETE FROM plain WHERE ctid = (SELECT min(ctid) FROM plain WHERE note = 'n1'); UPDATE plain SET note = 'z' WHERE ctid = (SELECT min(ctid) FROM plain WHERE note = 'n2');
       DROP TABLE dropped; CREATE TABLE fresh AS SELECT 1 AS x; CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'; SELECT nextval('s')`,
    );
    const second = await repository.capture("postgres", url);
    const changed = [
      { name: "public.dropped", state: "removed", before: 1, after: null, added: 0, removed: 1, changed: 0 },
      { name: "public.fresh", state: "added", before: null, after: 1, added: 1, removed: 0, changed: 0 },
      { name: "public.keyed", state: "changed", before: 20_000, after: 19_999, added: 2, removed: 3, changed: 5 },
      { name: "public.plain", state: "changed", before: 100, after: 99, added: 1, removed: 2, changed: null },
      { name: "public.same", state: "same", before: 10_000, after: 10_000, added: 0, removed: 0, changed: 0 },
    ];
    for (const after of [second, live()]) {
      const found = await diff(after);
      assert.equal(found.same, false);
      assert.deepEqual(found.streams, changed);
      assert.deepEqual(found.definitions, {
        added: ["table public.fresh"],
        removed: ["table public.dropped"],
        changed: ["function public.f()", 'state of sequence "public"."s"'],
      });
    }
    const back = await diff(first, second);
    assert.deepEqual(
      back.streams.find(({ name }) => name === "public.keyed"),
      { ...changed[2], before: 19_999, after: 20_000, added: 3, removed: 2 },
    );
  });

  it("reads only ranges that differ", async () => {
    await server.sql(url, "UPDATE same SET n = -1 WHERE ctid = (SELECT max(ctid) FROM same)");
    const after = await repository.capture("postgres", url, 64 << 10);
    const before = await repository.capture("postgres", url, 64 << 10);
    await server.sql(url, "UPDATE same SET n = -2 WHERE n = -1");
    const later = await repository.capture("postgres", url, 64 << 10);
    assert.equal((await diff(after, before)).bytesRead, 0);
    const found = await diff(later, before);
    assert.deepEqual(
      found.streams.filter(({ state }) => state !== "same").map(({ name, added, removed }) => [name, added, removed]),
      [["public.same", 1, 1]],
    );
    assert.ok(found.bytesRead > 0 && found.bytesRead < 60_000, String(found.bytesRead));
  });

  it("is told of documents by their _id, and refuses what cannot be compared", async () => {
    await using place = await ownDatabase();
    const collection = place.db.collection<{ _id: number; text: string }>("orders");
    await collection.insertMany(Array.from({ length: 100 }, (_, n) => ({ _id: n, text: "a" })));
    const before = await repository.capture("mongodb", place.url);
    await collection.updateMany({ _id: { $lt: 4 } }, { $set: { text: "b" } });
    await collection.deleteOne({ _id: 50 });
    await collection.createIndex({ text: 1 }, { name: "by text" });
    const found = await diff({ url: place.url, engine: "mongodb" }, before);
    assert.deepEqual(found.streams, [{ name: "orders", state: "changed", before: 100, after: 99, added: 0, removed: 1, changed: 4 }]);
    assert.deepEqual(found.definitions, { added: ["index by text of orders"], removed: [], changed: [] });
    assert.deepEqual(found.notes.length, 1, "FerretDB gives no consistent snapshot");
    await assert.rejects(diff(before), { type: "UsageInvalid", message: /engine postgres, the second of mongodb/ });
  });
});
