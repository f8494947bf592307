import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PartitionKeyDefinitionVersion, PartitionKeyKind, TriggerOperation, TriggerType } from "@azure/cosmos";
import { cosmos } from "../../core/databases/cosmos/cosmos.ts";
import type { EarlierContent, StreamPlan } from "../../core/databases/engine.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { type CosmosStub, openCosmosStub } from "./cosmos-change-feed-stub.ts";
import {
  type Captured,
  capture,
  connectionString,
  databaseAt,
  definitionsOf,
  never,
  ownDatabase,
  pieces,
  restoreAll,
  rowsOf,
  sortedDocuments,
} from "./cosmos-place.ts";
import { putDocument, splitPartition } from "./cosmos-stub-state.ts";

const urlOf = (stub: CosmosStub, database = "shop"): string => connectionString(stub.endpoint, stub.key, database);

/** A container with these lines of documents, written by a restore, which sends them as they are. */
const load = async (stub: CosmosStub, lines: readonly string[], partitionKey: object, more: object = {}): Promise<void> => {
  const definitions = Buffer.from(
    `{"database":{"throughput":null}}\n${JSON.stringify({ container: { id: "c", partitionKey, ...more }, throughput: null, storedProcedures: [], triggers: [], functions: [] })}\n`,
  );
  const streams: Captured[] = [
    { name: "/containers", kind: "definition", framing: "opaque", target: {}, content: definitions },
    {
      name: "c",
      kind: "rows",
      framing: "stamped",
      target: { container: "c", partitionKey },
      content: Buffer.from(lines.map((line) => `${line}\t1\n`).join("")),
    },
  ];
  await restoreAll(urlOf(stub), streams);
};

describe("Cosmos DB's REST interface, by a stub of it", () => {
  it("gives and takes documents to the digit, which JavaScript's numbers and objects would not", async () => {
    await using stub = await openCosmosStub();
    const lines = [
      '{"id":"digits","p":9007199254740993,"one":1.0,"zero":-0,"fraction":0.10000000000000000555,"exponent":1E+400,"long":123456789012345678901234567890}',
      '{"id":"order","10":1,"2":2,"b":{"1":1,"0":0},"a":[],"twice":1,"twice":2}',
      '{"id":"escapes","p":"\\u0041\\/\\ud83d","raw":"é🙂","tab":"\\t"}',
    ];
    await load(stub, lines, { paths: ["/p"], kind: "Hash" });
    const { streams } = await capture(urlOf(stub));
    assert.deepEqual(sortedDocuments(rowsOf(streams)[0]!.content), lines.toSorted());
    assert.notEqual(JSON.stringify(JSON.parse(lines[0]!)), lines[0], "the digits would have been lost");
    await restoreAll(urlOf(stub, "copy"), streams);
    assert.deepEqual(sortedDocuments(rowsOf((await capture(urlOf(stub, "copy"))).streams)[0]!.content), lines.toSorted());
  });

  it("is signed for, and told partition keys, as Microsoft's client does it: hierarchical, nested, absent, and not of ASCII", async () => {
    await using stub = await openCosmosStub({ partitions: 3 });
    await using place = await databaseAt(stub.endpoint, stub.key, "shop with spaces");
    await place.container(
      {
        id: "tenants ü",
        partitionKey: {
          paths: ["/tenant", "/user/name", '/"a b"'],
          kind: PartitionKeyKind.MultiHash,
          version: PartitionKeyDefinitionVersion.V2,
        },
      },
      [
        { id: "1", tenant: "nörth 🙂", user: { name: 7.5 }, "a b": true },
        { id: "1", tenant: "nörth 🙂", user: { name: null } },
        { id: "3", tenant: false },
        { id: "4", user: "no object" },
      ],
    );
    const { streams } = await capture(place.url);
    const [rows] = rowsOf(streams);
    assert.equal(sortedDocuments(rows!.content).length, 4);
    const { back } = await restoreAll(connectionString(stub.endpoint, stub.key, "copy"), streams);
    assert.deepEqual(sortedDocuments(back.get("tenants ü")!), sortedDocuments(rows!.content));
  });

  it("refuses a wrong key, which is told without it", async () => {
    await using stub = await openCosmosStub();
    const wrong = Buffer.alloc(64, 7).toString("base64");
    await assert.rejects(cosmos.probe(connectionString(stub.endpoint, wrong, "shop"), never), (error: unknown) => {
      assert.ok(isFailure(error, "AuthenticationRejected"), String(error));
      assert.match(error.message, /^Cosmos DB at 127\.0\.0\.1:\d+\/shop, connecting: the account rejected the key\.$/);
      return true;
    });
  });

  it("describes containers, scripts and throughput, and takes them back; documents live until they were compared", async () => {
    await using stub = await openCosmosStub();
    await using place = await databaseAt(stub.endpoint, stub.key, "shop");
    const { container } = await place.database.containers.create({
      id: "sessions",
      partitionKey: { paths: ["/id"] },
      defaultTtl: 60,
      throughput: 500,
      uniqueKeyPolicy: { uniqueKeys: [{ paths: ["/email"] }] },
      conflictResolutionPolicy: { mode: "Custom", conflictResolutionProcedure: "dbs/shop/colls/sessions/sprocs/resolve" },
    });
    stub.throughputLimit = 10_000;
    await place.database.containers.create({ id: "elastic", partitionKey: { paths: ["/id"] }, maxThroughput: 4_000 });
    await container.items.create({ id: "one" });
    await container.scripts.storedProcedures.create({ id: "resolve", body: 'function () { /* "quoted" */ }' });
    await container.scripts.triggers.create({
      id: "stamp",
      body: "function () {}",
      triggerOperation: TriggerOperation.Create,
      triggerType: TriggerType.Pre,
    });
    await container.scripts.userDefinedFunctions.create({ id: "tax", body: "function (n) { return n }" });
    const { streams, notes } = await capture(place.url);
    const definitions = definitionsOf(streams)[0]!.content.toString();
    assert.match(definitions, /"throughput":\{"manual":500\},"storedProcedures":\[\{"id":"resolve"/);
    assert.match(definitions, /"defaultTtl":60/);
    assert.ok(!/"_rid"|"_etag"/.test(definitions));
    assert.ok(!notes.some((note) => /no stored|no throughput/.test(note)), notes.join("\n"));

    const lifetimes: string[] = [];
    stub.before = ({ segments, method }) => {
      if (segments[1] === "copy" && segments[4] === "docs" && method !== "DELETE")
        lifetimes.push(/"defaultTtl":\d+/.exec(stub.container("copy", "sessions").text.toString())?.[0] ?? "none");
      return undefined;
    };
    stub.throughputLimit = 1_000;
    const copy = await restoreAll(urlOf(stub, "copy"), streams);
    assert.deepEqual(new Set(lifetimes), new Set(["none"]));
    assert.deepEqual(copy.notes, [
      'Container "elastic" had autoscale up to 4000 RU/s; the target does not allow that, so it has what the target gives by itself.',
    ]);
    stub.throughputLimit = 10_000;
    const exact = await restoreAll(urlOf(stub, "exact"), streams);
    assert.deepEqual(exact.notes, []);
    assert.equal(definitionsOf((await capture(urlOf(stub, "exact"))).streams)[0]!.content.toString(), definitions);
  });

  it("keeps every kind of indexing policy, as text", async () => {
    await using stub = await openCosmosStub();
    const policy = {
      indexingMode: "consistent",
      automatic: true,
      includedPaths: [{ path: "/*" }],
      excludedPaths: [{ path: "/secret/?" }, { path: '/"_etag"/?' }],
      compositeIndexes: [
        [
          { path: "/a", order: "ascending" },
          { path: "/b", order: "descending" },
        ],
      ],
      spatialIndexes: [{ path: "/place/*", types: ["Point", "Polygon", "MultiPolygon", "LineString"] }],
      vectorIndexes: [{ path: "/embedding", type: "quantizedFlat" }],
      fullTextIndexes: [{ path: "/text" }],
    };
    const more = {
      indexingPolicy: policy,
      vectorEmbeddingPolicy: { vectorEmbeddings: [{ path: "/embedding", dataType: "float32", distanceFunction: "cosine", dimensions: 3 }] },
      uniqueKeyPolicy: { uniqueKeys: [{ paths: ["/a", "/b"] }] },
      defaultTtl: -1,
    };
    await load(stub, ['{"id":"one","embedding":[1,0.5,0]}'], { paths: ["/id"] }, more);
    const { streams } = await capture(urlOf(stub));
    const kept = JSON.parse(definitionsOf(streams)[0]!.content.toString().split("\n")[1]!) as { container: Record<string, unknown> };
    for (const [name, value] of Object.entries(more)) assert.deepEqual(kept.container[name], value, name);
    await restoreAll(urlOf(stub, "copy"), streams);
    assert.deepEqual(definitionsOf((await capture(urlOf(stub, "copy"))).streams)[0]!.content, definitionsOf(streams)[0]!.content);
  });

  it("has no scripts where it knows no such path; any other refusal is none of its words", async () => {
    await using stub = await openCosmosStub();
    await load(stub, ['{"id":"one"}'], { paths: ["/id"] });
    const answering = (status: number) => {
      stub.before = ({ segments }) => (segments[4] === "sprocs" ? status : undefined);
      return capture(urlOf(stub));
    };
    for (const status of [404, 405, 501]) assert.match((await answering(status)).notes.join(), /no stored procedures/, `${status}`);
    await assert.rejects(answering(400), (error: unknown) => isFailure(error, "Unexpected") && /status 400/.test(error.message));
    stub.before = ({ segments }) => (segments[3] === "c" && [undefined, "sprocs"].includes(segments[4]) ? 404 : undefined);
    await assert.rejects(cosmos.plan(urlOf(stub), "", { partBytes: 1 }, never), (error: unknown) => isFailure(error, "SourceChanged"));
  });

  it("lends a scratch database the least throughput, which its containers share as far as that is allowed", async () => {
    await using stub = await openCosmosStub();
    await using place = await databaseAt(stub.endpoint, stub.key, "shop");
    for (const id of ["a", "b", "c"]) await place.database.containers.create({ id, partitionKey: { paths: ["/id"] }, throughput: 600 });
    const { streams } = await capture(place.url);
    stub.sharedAtMost = 2;
    const scratch = await cosmos.createScratch(place.url, "dbgov_drill", never);
    const { notes } = await restoreAll(scratch, streams);
    assert.deepEqual(stub.databases.get("dbgov_drill")!.throughput, { offerThroughput: 400 });
    assert.deepEqual(stub.container("dbgov_drill", "c").throughput, { offerThroughput: 400 });
    assert.match(notes.join("\n"), /"a" had 600 RU\/s of its own; it shares.*"b" had 600.*"c" finds no place/s);
    await cosmos.dropScratch(place.url, "dbgov_drill", never);
    assert.equal(stub.databases.has("dbgov_drill"), false);
    await assert.rejects(cosmos.createScratch(place.url, "shop", never), /not one to be dropped/);
  });

  it("has partitions, each a part; those that are split meanwhile are read by halves, and again when it is amid", async () => {
    await using stub = await openCosmosStub({ partitions: 3 });
    await load(
      stub,
      Array.from({ length: 300 }, (_, n) => `{"id":"d${n}"}`),
      { paths: ["/id"] },
    );
    const url = urlOf(stub);
    const plan = await cosmos.plan(url, "", { partBytes: 1 }, never);
    const stream = plan.streams[1]!;
    assert.equal(stream.parts.length, 3);
    assert.ok(stream.parts.every(({ estimatedBytes }) => estimatedBytes > 100));
    const read = async (part: number, onBlock: () => void = () => {}): Promise<string[]> => {
      const blocks: Buffer[] = [];
      for await (const block of cosmos.read(url, "", stream, stream.parts[part]!, never)) {
        blocks.push(Buffer.from(block));
        onBlock();
      }
      return sortedDocuments(Buffer.concat(blocks));
    };
    const before = [await read(0), await read(1), await read(2)];
    assert.equal(new Set(before.flat()).size, 300);
    splitPartition(stub.container("shop", "c"), 1);
    assert.deepEqual(await read(1), before[1]);
    await assert.rejects(
      read(2, () => splitPartition(stub.container("shop", "c"), 2)),
      (error: unknown) => {
        assert.ok(isFailure(error, "DatabaseUnreachable"), String(error));
        assert.match(error.message, /splitting a partition/);
        return true;
      },
    );
    assert.deepEqual(await read(2), before[2], "the next attempt reads it whole");
  });

  it("gives a document that is deleted and created again meanwhile once, also behind what was read", async () => {
    await using stub = await openCosmosStub();
    await load(
      stub,
      Array.from({ length: 150 }, (_, n) => `{"id":"d${n}"}`),
      { paths: ["/id"] },
    );
    const url = urlOf(stub);
    const plan = await cosmos.plan(url, "", { partBytes: 1 }, never);
    const stream = plan.streams[1]!;
    const container = stub.container("shop", "c");
    const blocks: Buffer[] = [];
    for await (const block of cosmos.read(url, "", stream, stream.parts[0]!, never)) {
      if (blocks.push(Buffer.from(block)) > 1) continue;
      for (const id of ["d3", "d140"]) {
        const key = `["${id}"]`;
        assert.ok(container.documents.delete(`${key}\n"${id}"`));
        putDocument(container, Buffer.from(`{"id":"${id}","again":true}`), key, stub.clock);
      }
    }
    const documents = sortedDocuments(Buffer.concat(blocks));
    assert.ok(blocks.length > 1);
    assert.equal(documents.length, 150);
    assert.ok(documents.includes('{"id":"d3"}'), "as it was given");
    assert.ok(documents.includes('{"id":"d140","again":true}'));
  });

  it("tells by its change feed what is unchanged, and by a count what was deleted", async () => {
    await using stub = await openCosmosStub({ partitions: 2 });
    await load(
      stub,
      Array.from({ length: 40 }, (_, n) => `{"id":"d${n}","v":1}`),
      { paths: ["/id"] },
    );
    const { unchanged, notes, write, remove, inPart } = await followed(urlOf(stub));
    assert.match(notes.join("\n"), /told by the change feed, which was tested/);
    assert.deepEqual(await unchanged(), [true, true]);
    const [one, other] = [inPart(0), inPart(1)];
    await write(`{"id":"${one}","v":2}`);
    assert.deepEqual(await unchanged(), [false, true], "replaced");
    await remove(other);
    assert.deepEqual(await unchanged(), [false, false], "deleted");
    await write(`{"id":"${other}","v":1}`);
    assert.deepEqual(await unchanged(), [false, false], "deleted and created again, the same count");
    splitPartition(stub.container("shop", "c"), 0);
    assert.deepEqual(await unchanged(), [false, false]);
  });

  it("is not asked for changes by a replica that lags behind the one that told where the feed stands", async () => {
    await using stub = await openCosmosStub();
    await load(
      stub,
      Array.from({ length: 4 }, (_, n) => `{"id":"d${n}"}`),
      { paths: ["/id"] },
    );
    const before = await followed(urlOf(stub));
    await before.write('{"id":"d1","changed":true}');
    const planned = await cosmos.plan(urlOf(stub), "", { partBytes: 1 }, never);
    // Whoever does not say what it has seen is answered by a replica that has not seen the change.
    stub.before = ({ headers }) =>
      /^"/.test(headers["if-none-match"] ?? "") && headers["x-ms-session-token"] === undefined ? 304 : undefined;
    assert.deepEqual(await before.unchanged(), [true], "by itself it would be believed");
    assert.deepEqual(await before.unchanged((mark) => mark, planned.streams[1]), [false]);
  });

  it("that answers its change feed like the emulator is not believed", async () => {
    await using stub = await openCosmosStub();
    await load(stub, ['{"id":"a"}', '{"id":"b"}'], { paths: ["/id"] });
    stub.before = ({ headers }) => (headers["if-none-match"] === undefined ? undefined : 304);
    const { notes } = await cosmos.plan(urlOf(stub), "", { partBytes: 1 }, never);
    assert.match(notes.join("\n"), /no change feed that could be shown to work/);
  });

  it("sees its own writes under session consistency", async () => {
    await using stub = await openCosmosStub();
    const tokens: unknown[] = [];
    stub.before = ({ method, segments, headers }) => {
      if (method === "GET" && segments.at(-1) === "docs") tokens.push(headers["x-ms-session-token"]);
      return undefined;
    };
    await load(
      stub,
      Array.from({ length: 20 }, (_, n) => `{"id":"d${n}"}`),
      { paths: ["/id"] },
    );
    assert.deepEqual(tokens, ["0:-1#20"]);
  });
});

describe("the emulator, whose change feed is none", () => {
  it("tells by times of last writes and a count what is unchanged", async () => {
    await using place = await ownDatabase();
    await place.container(
      { id: "c", partitionKey: { paths: ["/id"] } },
      Array.from({ length: 10 }, (_, n) => ({ id: `d${n}` })),
    );
    const { unchanged, notes, later } = await followed(place.url);
    assert.match(notes.join("\n"), /no change feed that could be shown to work/);
    assert.deepEqual(await unchanged(), [false], "written within the minute by which clocks may differ");
    // As if the plan had been made long after the last write.
    assert.deepEqual(await unchanged(later), [true]);
    await place.database.container("c").item("d3", "d3").delete();
    assert.deepEqual(await unchanged(later), [false], "deleted");
  });
});

/** A container whose first snapshot was just planned and read, and ways to change it and to ask what is unchanged. */
async function followed(url: string) {
  const plan = await cosmos.plan(url, "", { partBytes: 1 }, never);
  const stream: StreamPlan = plan.streams[1]!;
  const parts: EarlierContent[] = [];
  const contents: string[][] = [];
  for (const part of stream.parts) {
    const blocks: Buffer[] = [];
    for await (const block of cosmos.read(url, "", stream, part, never)) blocks.push(Buffer.from(block));
    contents.push(sortedDocuments(Buffer.concat(blocks)));
    parts.push({ stream, part, mark: stream.mark, rows: contents.at(-1)!.length });
  }
  const restoration = await cosmos.restore(url, { replace: true, definitions: [], parallelism: 1 }, never);
  const target = { container: "c", partitionKey: { paths: ["/id"] } };
  return {
    notes: plan.notes,
    unchanged: (change: (mark: unknown) => unknown = (mark) => mark, present: StreamPlan = { ...stream, mark: undefined }) =>
      cosmos.unchanged!(
        url,
        "",
        parts.map((part) => ({ ...part, stream: present, mark: change(part.mark) })),
        () => {},
        never,
      ),
    later: (mark: unknown) => ({ by: "timestamps", since: (mark as { since: number }).since + 62 }),
    inPart: (part: number) => (JSON.parse(contents[part]![0]!) as { id: string }).id,
    write: (document: string) => restoration.write({ name: "c", target, framing: "stamped" }, pieces(Buffer.from(`${document}\t1\n`))),
    remove: async (id: string) => {
      const { endpoint, key, database } = /AccountEndpoint=(?<endpoint>[^;]+);AccountKey=(?<key>[^;]+);Database=(?<database>[^;]+)/.exec(
        url,
      )!.groups!;
      const place = await databaseAt(endpoint!, key!, database!);
      await place.database.container("c").item(id, id).delete();
      place.client.dispose();
    },
  };
}
