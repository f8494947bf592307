import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { cosmos } from "../../core/databases/cosmos/cosmos.ts";
import { isFailure } from "../../core/domain/failure.ts";
import {
  capture,
  connectionString,
  definitionsOf,
  digestOf,
  never,
  ownDatabase,
  pieces,
  restoreAll,
  rowsOf,
  sortedDocuments,
} from "./cosmos-place.ts";

const odd = [
  { id: "with space", region: "north", price: 1e21, tiny: 5e-324, negative: -0.1 },
  { id: 'quote " and (brackets)', region: "south", text: 'tab\t, line\n, "quote", \u2028, \ud83d\ude00, \u0000' },
  { id: "Ünïcödé 漢字 🙂", region: "nörth 漢", nested: { a: [1, [2, { b: null }]], "": { "": "" } } },
  { id: "'; DROP", region: null, 'key with "quotes"': true, "10": "ten", "2": "two", _own: 1, __proto: {} },
  { id: "no region", list: [] },
  { id: "%2F+=&", region: 7, big: 9007199254740991, many: Array.from({ length: 300 }, (_, n) => ({ n })) },
  { id: "object as key", region: { not: "a key" } },
  { id: "true", region: true },
];

describe("a Cosmos DB database on the emulator", () => {
  it("comes back with the same documents, containers and functions", async () => {
    await using source = await ownDatabase();
    await source.container(
      {
        id: "odd container, with spaces",
        partitionKey: { paths: ["/region"] },
        indexingPolicy: {
          indexingMode: "consistent",
          includedPaths: [{ path: "/*" }],
          excludedPaths: [{ path: "/secret/?" }],
          compositeIndexes: [
            [
              { path: "/a", order: "ascending" },
              { path: "/b", order: "descending" },
            ],
          ],
        },
        uniqueKeyPolicy: { uniqueKeys: [{ paths: ["/email"] }] },
        conflictResolutionPolicy: { mode: "LastWriterWins", conflictResolutionPath: "/rank" },
      },
      odd.map((document, n) => ({ email: `${n}@example.org`, ...document })),
    );
    await source.container({ id: "empty", partitionKey: { paths: ["/id"] } });
    await source.container(
      { id: "many", partitionKey: { paths: ["/deep/er"] } },
      Array.from({ length: 240 }, (_, n) => ({ id: `d${n}`, deep: { er: n % 5 }, text: "x".repeat(n) })),
    );
    await source.database.container("many").scripts.userDefinedFunctions.create({ id: "tax", body: "function tax(n) { return n * 1.19 }" });

    const { streams, notes } = await capture(source.url);
    assert.deepEqual(
      streams.map(({ name, kind, framing }) => [name, kind, framing]),
      [
        ["/containers", "definition", "opaque"],
        ["empty", "rows", "stamped"],
        ["many", "rows", "stamped"],
        ["odd container, with spaces", "rows", "stamped"],
      ],
    );
    assert.match(notes.join("\n"), /no stored procedures.*no triggers.*no change feed/s);
    const many = rowsOf(streams).find(({ name }) => name === "many")!.content;
    assert.match(many.toString(), /^\{"id":"d\d+","deep":\{"er":\d\},"text":"x*"\}\t1\d{9}\n/);

    await using target = await ownDatabase();
    const { back } = await restoreAll(target.url, streams);
    for (const { name, content } of rowsOf(streams)) {
      assert.deepEqual(sortedDocuments(back.get(name)!), sortedDocuments(content), name);
      const [before, after] = await Promise.all([digestOf(content), digestOf(back.get(name)!)]);
      assert.deepEqual([after.rows, after.sum], [before.rows, before.sum]);
    }
    const again = await capture(target.url);
    assert.equal(again.streams[0]!.content.toString(), streams[0]!.content.toString(), "definitions are the same text");
    const { resources } = await target.database.container("odd container, with spaces").items.readAll().fetchAll();
    assert.deepEqual(resources.map(({ id }) => id).sort(), odd.map(({ id }) => id).sort(), "Microsoft's client sees them");
  });

  it("that is empty is captured and restored as such", async () => {
    await using source = await ownDatabase();
    const { streams } = await capture(source.url);
    assert.equal(streams.length, 1);
    await using target = await ownDatabase();
    await restoreAll(target.url, streams);
    assert.deepEqual((await target.database.containers.readAll().fetchAll()).resources, []);
  });

  it("restores into a database that does not exist yet, refuses one that is not empty, and replaces when told to", async () => {
    await using source = await ownDatabase();
    await source.container({ id: "orders", partitionKey: { paths: ["/id"] } }, [{ id: "one" }]);
    const { streams } = await capture(source.url);
    const drill = `dbgov_drill_${randomBytes(4).toString("hex")}`;
    const scratch = await cosmos.createScratch(source.url, drill, never);
    await restoreAll(scratch, streams);
    await assert.rejects(restoreAll(scratch, streams), (error: unknown) => {
      assert.ok(isFailure(error, "TargetNotEmpty"), String(error));
      assert.match(error.message, /dbgov_drill_[0-9a-f]+ is not empty: it has "orders"/);
      return true;
    });
    await source.database.container("orders").items.create({ id: "two" });
    const { back } = await restoreAll(scratch, (await capture(source.url)).streams, { replace: true });
    assert.deepEqual(sortedDocuments(back.get("orders")!), ['{"id":"one"}', '{"id":"two"}']);
    await cosmos.dropScratch(source.url, drill, never);
    await cosmos.dropScratch(source.url, drill, never);
    await assert.rejects(cosmos.hold(scratch, never), (error: unknown) => isFailure(error, "DatabaseMissing"));
    await restoreAll(connectionString(source.endpoint, source.key, drill), streams);
    await cosmos.dropScratch(source.url, drill, never);
  });

  it("is restored by an attempt that goes on with another, and passes over what is there", async () => {
    await using source = await ownDatabase();
    const many = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => ({ id: `d${from + n}`, of: (from + n) % 3 }));
    await source.container({ id: "half", partitionKey: { paths: ["/of"] } }, many(0, 60));
    await source.container({ id: "later", partitionKey: { paths: ["/id"] } }, many(0, 5));
    await source.database.container("half").scripts.userDefinedFunctions.create({ id: "tax", body: "function tax(n) { return n }" });
    const { streams } = await capture(source.url);
    await using target = await ownDatabase();
    const progress = { job: "00112233aabbccdd", resume: false };
    const resume = { ...progress, resume: true };
    await assert.rejects(restoreAll(target.url, streams, { progress: resume }), (error: unknown) => isFailure(error, "UsageInvalid"));

    // Killed in the middle of the first container: the second was made and has nothing.
    const begun = await cosmos.restore(
      target.url,
      { replace: false, definitions: definitionsOf(streams), parallelism: 1, progress },
      never,
    );
    await begun.prepare();
    const half = rowsOf(streams).find(({ name }) => name === "half")!;
    const cut = half.content.indexOf("\n", half.content.length / 2) + 1;
    await begun.write(half, pieces(half.content.subarray(0, cut)));
    await target.database.container("later").delete();
    await assert.rejects(restoreAll(target.url, streams, { progress }), (error: unknown) => {
      return isFailure(error, "TargetNotEmpty") && /go on with it by --resume/.test(error.message);
    });

    const stampsOf = async () => {
      const { resources } = await target.database.container("half").items.readAll<{ id: string; _etag: string }>().fetchAll();
      return new Map(resources.map(({ id, _etag }) => [id, _etag]));
    };
    const halfway = await capture(target.url);
    assert.equal(definitionsOf(halfway.streams)[0]!.content.includes("dbgov_restore_"), false, "the mark is none of the database's");
    assert.ok(halfway.notes.includes('A restore into this database is not finished: what "half" should hold may be missing.'));

    const before = await stampsOf();
    assert.ok(before.size > 20 && before.size < 60, `${before.size}`);
    const { back, notes } = await restoreAll(target.url, streams, { progress: resume });
    for (const { name, content } of rowsOf(streams)) assert.deepEqual(sortedDocuments(back.get(name)!), sortedDocuments(content), name);
    assert.deepEqual(notes, []);
    const after = await stampsOf();
    for (const [id, tag] of before) assert.equal(after.get(id), tag, `${id} was not written again`);
    const restored = await capture(target.url);
    assert.equal(restored.streams[0]!.content.toString(), streams[0]!.content.toString());
    assert.ok(!restored.notes.some((note) => /not finished/.test(note)));
    const { resources: functions } = await target.database.container("half").scripts.userDefinedFunctions.readAll().fetchAll();
    assert.deepEqual(
      functions.map(({ id }) => id),
      ["tax"],
      "no mark is left",
    );
    await assert.rejects(restoreAll(target.url, streams, { progress: resume }), (error: unknown) => isFailure(error, "UsageInvalid"));

    await using other = await ownDatabase();
    const again = await cosmos.restore(other.url, { replace: false, definitions: definitionsOf(streams), parallelism: 1, progress }, never);
    await again.prepare();
    await other.database.container("half").items.create({ id: "d1", of: 1, somebody: "else's" });
    await assert.rejects(restoreAll(other.url, streams, { progress: resume }), (error: unknown) => {
      return isFailure(error, "RestoreFailed") && /"half" of .* holds another document/.test(error.message);
    });
  });

  it("gives one container beside what is there", async () => {
    await using source = await ownDatabase();
    for (const id of ["a", "b"]) await source.container({ id, partitionKey: { paths: ["/id"] } }, [{ id: `of ${id}` }]);
    const { streams } = await capture(source.url);
    await using target = await ownDatabase();
    await target.container({ id: "b", partitionKey: { paths: ["/id"] } }, [{ id: "mine" }]);
    await restoreAll(target.url, streams, { part: { by: "name", only: ["a"] } });
    const ids = async (id: string) => (await target.database.container(id).items.readAll().fetchAll()).resources.map((each) => each.id);
    assert.deepEqual([await ids("a"), await ids("b")], [["of a"], ["mine"]]);
    await assert.rejects(restoreAll(target.url, streams, { part: { by: "name", only: ["b"] } }), /has "b" already/);
  });
});
