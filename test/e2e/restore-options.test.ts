import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createDatabase, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

describe("restore, export and diff on the command line", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let test: TestSite;
  let source: string;
  let target: string;
  let snapshot: string;

  before(async () => {
    stack = await startStack();
    source = await createDatabase(stack, "options_source");
    target = await createDatabase(stack, "options_target");
    await runSql(
      source,
      `CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT n, 'n' || n FROM generate_series(1, 1000) n;
       CREATE TABLE "a,b" (x int); CREATE TABLE log (at timestamptz); INSERT INTO log SELECT now() FROM generate_series(1, 10)`,
    );
    test = await createTestSite({
      name: "options",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: { stores: [], copies: 1, domains: 1, archive: [] },
      change: (config) => {
        config.anchors = [];
      },
    });
    await test.worker();
    snapshot = (await test.backup("shop")).snapshot;
  });
  after(() => test?.close());

  it("plans, estimates once a drill has measured, and restores a part", async () => {
    const args = ["restore", "latest", "--database", "shop", "--to", target];
    const unmeasured = await test.dbgov(...args, "--only", 'public.ord*,public."a,b"', "--dry-run");
    assert.equal(unmeasured.code, 0, unmeasured.stderr);
    assert.deepEqual(
      [unmeasured.json.dryRun, unmeasured.json.estimate, unmeasured.json.rows, unmeasured.json.problem],
      [true, null, 1000, null],
    );
    assert.deepEqual(
      unmeasured.json.streams.map(({ name }: { name: string }) => name),
      ['public."a,b"', "public.orders"],
    );
    assert.equal((await test.dbgov("drill", "shop")).code, 0);
    const measured = await test.dbgov(...args, "--dry-run");
    assert.deepEqual([measured.json.estimate.drills, measured.json.estimate.seconds > 0], [1, true]);
    const restored = await test.dbgov(...args, "--except", "public.log");
    assert.deepEqual([restored.code, restored.json.identical, restored.json.rows, restored.json.resumed.rows], [0, true, 1000, 0]);
    const refused = await test.dbgov(...args, "--dry-run");
    assert.deepEqual([refused.code, refused.json.problem.type], [1, "TargetNotEmpty"]);
    const unknown = await test.dbgov(...args, "--only", "orders");
    assert.deepEqual([unknown.code, unknown.json.error.type], [4, "NameUnknown"]);
    assert.match(unknown.json.error.message, /the nearest: public\.orders/);
    const nothing = await test.dbgov(...args, "--resume");
    assert.deepEqual([nothing.code, nothing.json.error.type], [2, "UsageInvalid"]);
    const unquoted = await test.dbgov(...args, "--only", 'public."a');
    assert.deepEqual([unquoted.code, unquoted.json.error.type], [2, "UsageInvalid"]);
  });

  it("exports, and says what changed", async () => {
    const out = join(test.folder, "dump");
    const exported = await test.dbgov("export", snapshot, "--out", out);
    assert.deepEqual([exported.code, exported.json.rows, exported.json.folder], [0, 1010, out]);
    assert.ok((await readdir(out)).includes("toc.dat"));
    assert.deepEqual((await test.dbgov("export", snapshot)).json.error.type, "UsageInvalid");
    const same = await test.dbgov("diff", snapshot, source);
    assert.deepEqual([same.code, same.json.same], [0, true]);
    await runSql(source, "UPDATE orders SET note = 'other' WHERE id = 7");
    const changed = await test.dbgov("diff", snapshot, source);
    assert.deepEqual([changed.code, changed.json.same], [5, false]);
    const second = (await test.backup("shop")).snapshot;
    const between = await test.dbgov("diff", snapshot, second);
    const expected = { name: "public.orders", state: "changed", before: 1000, after: 1000, added: 0, removed: 0, changed: 1 };
    assert.deepEqual(
      between.json.streams.filter(({ state }: { state: string }) => state !== "same"),
      [expected],
    );
    const alone = await test.dbgov("diff", snapshot);
    assert.deepEqual([alone.code, alone.json.error.type], [2, "UsageInvalid"]);
  });
});
