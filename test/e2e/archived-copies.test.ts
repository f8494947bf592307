import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createDatabase, createTestSite, databaseOf, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

/** On Azurite, which refuses to read what is archived, and brings it back at once; Azure takes hours. */
describe("copies in an archive tier", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let test: TestSite;
  let source: string;
  let snapshot: string;

  before(async () => {
    stack = await startStack();
    source = await createDatabase(stack, "archived_source");
    await runSql(source, "CREATE TABLE orders AS SELECT n, md5(n::text) AS code FROM generate_series(1, 5000) n");
    test = await createTestSite({
      name: "archived",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: { stores: ["azure", "spare"], copies: 2, domains: 2, archive: [], tiers: { archive: "1s" } },
      change: (config) => {
        config.anchors = [];
        config.stores.push({ name: "spare", kind: "directory", domain: "spare", path: "spare" });
      },
    });
    await test.worker();
    ({ snapshot } = await test.backup("shop"));
  });
  after(async () => {
    await test?.close();
    await runSql(stack.postgres.url, `DROP DATABASE IF EXISTS ${databaseOf(source)} WITH (FORCE)`);
  });

  it("are made by retention, once the other stores have what is promised, and shown", async () => {
    const { code, stdout, stderr } = await test.dbgov("retention", "run");
    assert.equal(code, 0, stdout + stderr);
    const { json } = await test.dbgov("stores", "status");
    const azure = json.stores.find(({ name }: { name: string }) => name === "azure");
    assert.ok(azure.packs >= 1 && azure.archived.packs === azure.packs, JSON.stringify(azure));
  });

  it("are not restored from, which is said before anything is written", async () => {
    const target = await createDatabase(stack, "archived_target");
    const { code, json } = await test.dbgov("restore", snapshot, "--store", "azure", "--to", target);
    assert.deepEqual([code, json.error.type], [1, "ObjectArchived"], JSON.stringify(json));
    assert.deepEqual(await runSql(target, "SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace"), []);
    const other = await test.dbgov("restore", snapshot, "--to", target);
    assert.deepEqual([other.code, other.json.identical], [0, true], "the other stores can be read");
  });

  it("are brought back when somebody asks, and then restored from", async () => {
    const nothing = await test.dbgov("stores", "rehydrate", snapshot);
    assert.deepEqual([nothing.code, nothing.json], [0, { snapshot, done: true, stores: [] }], "another store can be read");
    const { code, json, stderr } = await test.dbgov("stores", "rehydrate", snapshot, "--store", "azure", "--wait");
    assert.equal(code, 0, stderr);
    assert.deepEqual([json.done, json.stores.length, json.stores[0].store], [true, 1, "azure"]);
    assert.ok(json.stores[0].packs >= 1 && json.stores[0].online === json.stores[0].packs);
    const target = await createDatabase(stack, "archived_back");
    const back = await test.dbgov("restore", snapshot, "--store", "azure", "--to", target);
    assert.deepEqual([back.code, back.json.identical], [0, true], JSON.stringify(back.json));
  });

  it("are asked for in words that can be obeyed", async () => {
    const unknown = await test.dbgov("stores", "rehydrate", "20200101T000000Z-000000000000");
    assert.deepEqual([unknown.code, unknown.json.error.type], [4, "SnapshotUnknown"]);
    const keep = await test.dbgov("stores", "rehydrate", snapshot, "--keep", "long");
    assert.deepEqual([keep.code, keep.json.error.type], [2, "UsageInvalid"]);
  });
});
