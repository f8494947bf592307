import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type CosmosStub, openCosmosStub } from "../integration/cosmos-change-feed-stub.ts";
import { connectionString, databaseAt, type Place } from "../integration/cosmos-place.ts";
import { putDocument } from "../integration/cosmos-stub-state.ts";
import { assertNoSecrets } from "../sample/secrets.ts";
import { createTestSite, type TestSite } from "../sample/test-site.ts";
import { openSiteCli, type WatchedCli } from "../sample/watched-cli.ts";
import { useStack } from "../stack/use-stack.ts";

/** A Cosmos DB database from backup to drill, restore and export, by the command line and a real worker. */
describe("Cosmos DB through the command line", () => {
  const startStack = () => useStack("temporal", "postgres", "cosmos", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let source: Place;
  let test: TestSite;
  let cli: WatchedCli;
  let stub: CosmosStub;
  let snapshot: string;
  const own = randomBytes(4).toString("hex");

  before(async () => {
    stack = await startStack();
    const { endpoint, key } = stack.cosmos;
    source = await databaseAt(endpoint, key, `source_${own}`);
    await source.container({ id: "orders", partitionKey: { paths: ["/customer"] } }, [
      ...Array.from({ length: 60 }, (_, n) => ({ id: `order ${n}`, customer: `c${n % 7}`, total: n / 3 })),
    ]);
    await source.container({ id: "carts", partitionKey: { paths: ["/id"] } }, [{ id: "ünïcode 🙂" }]);
    stub = await openCosmosStub({ partitions: 2 });
    const events = await databaseAt(stub.endpoint, stub.key, "events");
    await events.container(
      { id: "log", partitionKey: { paths: ["/id"] } },
      Array.from({ length: 200 }, (_, n) => ({ id: `e${n}`, text: "x".repeat(100) })),
    );
    events.client.dispose();
    test = await createTestSite({
      name: "cosmos",
      stack,
      databases: [
        { name: "shop", engine: "cosmos", url: source.url },
        { name: "events", engine: "cosmos", url: connectionString(stub.endpoint, stub.key, "events") },
      ],
      policy: { stores: [], copies: 1, domains: 1, archive: [] },
      change: (config) => {
        config.anchors = [];
      },
    });
    await test.worker();
    cli = await openSiteCli(test);
    cli.addSecret(key);
  });
  after(async () => {
    await test?.close();
    await source?.[Symbol.asyncDispose]();
    await stub?.[Symbol.asyncDispose]();
  });

  it("backup takes every document and says that the copy is fuzzy", async () => {
    const { code, json } = await cli.json("backup", "shop");
    assert.deepEqual([code, json.rows, json.degraded], [0, 61, false], JSON.stringify(json));
    snapshot = json.snapshot;
    const shown = await cli.json("snapshots");
    assert.equal(shown.code, 0);
    assert.match(JSON.stringify(shown.json), /"consistency":"fuzzy"/);
  });

  it("drill proves it in a scratch database that is gone afterwards", async () => {
    const { code, json } = await cli.json("drill", "shop");
    assert.deepEqual([code, json.identical, json.rows], [0, true, 61], JSON.stringify(json));
    const { resources } = await source.client.databases.readAll().fetchAll();
    assert.deepEqual(
      resources.map(({ id }) => id).filter((id) => id.includes(snapshot.slice(-12))),
      [],
    );
  });

  it("restore writes them into another database, whole or one container of it", async () => {
    const { endpoint, key } = stack.cosmos;
    await using target = await databaseAt(endpoint, key, `target_${own}`);
    const whole = await cli.json("restore", snapshot, "--to", target.url);
    assert.deepEqual([whole.code, whole.json.identical, whole.json.rows], [0, true, 61], JSON.stringify(whole.json));
    await cli.fails(
      { code: 1, type: "TargetNotEmpty", message: /is not empty: it has 2 containers/ },
      "restore",
      snapshot,
      "--to",
      target.url,
    );
    await target.database.container("carts").delete();
    const part = await cli.json("restore", snapshot, "--to", target.url, "--only", "carts");
    assert.deepEqual([part.code, part.json.identical, part.json.rows], [0, true, 1], JSON.stringify(part.json));
    const same = await cli.json("diff", snapshot, target.url);
    assert.deepEqual([same.code, same.json.same], [0, true], JSON.stringify(same.json));
  });

  it("export writes JSON lines, as the server gave them", async () => {
    const out = join(test.folder, "exported");
    const { code, json } = await cli.json("export", snapshot, "--out", out);
    assert.equal(code, 0, JSON.stringify(json));
    assert.equal(await readFile(join(out, "carts.jsonl"), "utf8"), '{"id":"ünïcode 🙂"}\n');
    const orders = (await readFile(join(out, "orders.jsonl"), "utf8")).trim().split("\n");
    assert.equal(orders.length, 60);
    for (const order of orders) assert.deepEqual(Object.keys(JSON.parse(order)), ["id", "customer", "total"]);
  });

  it("takes over what the change feed calls unchanged, and raises no alarm for what changes while it is read", async () => {
    const write = (id: string): void => {
      const container = stub.container("events", "log");
      putDocument(container, Buffer.from(`{"id":"${id}","text":"changed"}`), `["${id}"]`, Date.now());
    };
    const backup = async (...options: string[]) => {
      const { code, json } = await cli.json("backup", "events", ...options);
      assert.equal(code, 0, JSON.stringify(json));
      return json;
    };
    const first = await backup();
    const second = await backup();
    assert.deepEqual([first.rows, second.rows], [200, 200]);
    assert.ok(second.bytes.read < first.bytes.read / 10, `${second.bytes.read} of ${first.bytes.read} bytes were read`);
    write("e7");
    const third = await backup();
    assert.ok(third.bytes.read > first.bytes.read / 4 && third.bytes.read < first.bytes.read * 0.8, `${third.bytes.read} bytes were read`);
    // In a full read, amid its pages: one more document, and one less.
    let reads = 0;
    stub.before = ({ method, segments, headers }) => {
      if (method === "GET" && segments.at(-1) === "docs" && headers["a-im"] === undefined && reads++ === 0) write("late");
      return undefined;
    };
    const full = await backup("--full");
    assert.equal(full.rows, 201);
    assert.equal((await cli.json("drill", "events")).json.identical, true);
  });

  it("says in one sentence what is wrong with a connection, and never the key", async () => {
    const { endpoint, key } = stack.cosmos;
    const missing = connectionString(endpoint, key, "no_such_database");
    await test.reconfigure((config) => {
      config.databases[0].url = { env: "NO_SUCH_URL" };
    });
    const other = await openSiteCli(test, { NO_SUCH_URL: missing });
    other.addSecret(key);
    const { json } = await other.json("check");
    const found = json.checks.find(({ name, kind }: { name: string; kind: string }) => kind === "database" && name === "shop");
    assert.equal(found.ok, false);
    assert.match(found.details[0], /no_such_database has no database of that name/);
  });

  it("has told no secret to Temporal or to a log", async () => {
    await assertNoSecrets(test);
  });
});
