import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { query } from "../../core/catalog/catalog.ts";
import type { SparseSummary } from "../../core/domain/retention-sparse.ts";
import type { BackupResult } from "../../core/domain/run.ts";
import { packKey } from "../../core/repository/object-keys.ts";
import { createDatabase, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

const signal = new AbortController().signal;

/** Nights on a database of which most changes: what does not change moves out of packs that hold little else, and they go. */
describe("sparse packs", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let source: string;
  let test: TestSite;

  before(async () => {
    stack = await startStack();
    source = await createDatabase(stack, "sparse_source");
    test = await createTestSite({
      name: "sparse",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: {
        ...{ stores: ["azure"], copies: 2, domains: 2, archive: [], fullReadEvery: 1_000 },
        retention: { last: 2, daily: 0, weekly: 0, monthly: 0, yearly: 0, minimumAge: "0s", spacing: "0s" },
      },
      change: (config) => {
        config.anchors = [];
        config.retention = { grace: "0s", rewrite: { bytesPerRun: "0B" } };
      },
    });
    await test.worker();
  });
  after(() => test?.close());

  const noise = (
    rows: number,
  ): string => `SELECT n, (SELECT string_agg(md5(random()::text || n || k), '') FROM generate_series(1, 10) k) AS text
    FROM generate_series(1, ${rows}) n`;
  /** What is written while others' transactions run looks new until a snapshot is taken after these. */
  const settled = async (): Promise<void> => {
    const [now] = await runSql<{ id: string }>(source, "SELECT pg_current_xact_id()::text AS id");
    const over = `SELECT WHERE pg_snapshot_xmin(pg_current_snapshot()) > '${now?.id}'::xid8`;
    while ((await runSql(source, over)).length === 0) await delay(100);
  };
  /** A night on which nearly everything has changed: about 5 MB of it. */
  const night = async (...statements: readonly string[]): Promise<BackupResult> => {
    await runSql(source, [...statements, "DROP TABLE IF EXISTS moving", `CREATE TABLE moving AS ${noise(15_000)}`].join(";"));
    await settled();
    const result = await test.backup("shop");
    await test.client.workflow.getHandle(`verify/${result.snapshot}`).result();
    return result;
  };
  const retention = async (): Promise<Map<string, SparseSummary>> => {
    const { code, json, stderr } = await test.dbgov("retention", "run");
    assert.equal(code, 0, stderr);
    return new Map(((json.sparse ?? []) as SparseSummary[]).map((one) => [one.verdict, one]));
  };
  /** Packs in which the snapshot has rows of the table. */
  const packsOf = async (snapshot: string): Promise<string[]> => {
    const rows = await query<{ id: string }>(
      await test.site.catalog(),
      "listing packs",
      `SELECT DISTINCT encode(p.id, 'hex') AS id FROM dbgov.snapshot s JOIN dbgov.snapshot_range USING (snapshot_no)
       JOIN dbgov.range_pack USING (range_no) JOIN dbgov.pack p USING (pack_no) WHERE s.id = $1`,
      [snapshot],
    );
    return rows.map(({ id }) => id);
  };
  const shared = async (a: string, b: string): Promise<string[]> => {
    const others = new Set(await packsOf(b));
    return (await packsOf(a)).filter((id) => others.has(id));
  };
  const stored = async (store: string): Promise<Map<string, number>> => {
    const found = new Map<string, number>();
    for await (const { key, bytes } of (await test.site.store(store)).list("packs/", signal)) found.set(key, bytes);
    return found;
  };
  const total = (sizes: ReadonlyMap<string, number>): number => [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  const assertRestores = async (snapshot: string, rows: number): Promise<void> => {
    const target = await createDatabase(stack, "sparse_target");
    const { code, json, stdout } = await test.dbgov("restore", snapshot, "--to", target);
    assert.deepEqual([code, json.identical, json.rows, json.damaged], [0, true, rows, []], stdout);
  };

  /** About 330 kB each, in a pack of 5 MB of the night that they come with. */
  const [rowsOfA, rowsOfB] = [1_000, 1_000];
  let newest: BackupResult;
  let sparse: string[];
  let full: number;
  const everything = rowsOfA + rowsOfB + 15_000;

  it("are found, and left as they are while nothing is to be rewritten", async () => {
    await night(`CREATE TABLE a AS ${noise(rowsOfA)}`);
    await night(`CREATE TABLE b AS ${noise(rowsOfB)}`);
    const third = await night();
    newest = await night();
    const found = await retention();
    assert.deepEqual([...found.keys()], ["off"]);
    assert.equal(found.get("off")?.packs, 2);
    sparse = await shared(third.snapshot, newest.snapshot);
    assert.equal(sparse.length, 2, "the last two snapshots need both packs");
    newest = await night();
    assert.ok(newest.bytes.read < third.bytes.read * 1.1, "nothing more is read than what has changed");
    assert.ok((await packsOf(newest.snapshot)).filter((id) => sparse.includes(id)).length === 2);
  });

  it("are retired within the budget, and the next night writes anew what it needs of them", async () => {
    const quiet = newest.bytes.read;
    await test.reconfigure((config) => {
      config.retention.rewrite = { bytesPerRun: "400kB" };
    });
    const found = await retention();
    assert.deepEqual([found.get("rewrite")?.packs, found.get("budget")?.packs], [1, 1]);
    assert.ok(found.get("rewrite")!.deadBytes > 2_000_000, "most of it");
    full = total(await stored("local"));

    const old = newest;
    newest = await night();
    const more = newest.bytes.read - quiet;
    assert.ok(more > 250_000 && more < 400_000, `${more} bytes were read on account of it`);
    assert.equal((await packsOf(newest.snapshot)).filter((id) => sparse.includes(id)).length, 1);
    assert.equal((await packsOf(old.snapshot)).filter((id) => sparse.includes(id)).length, 2);
    await assertRestores(old.snapshot, everything);
    await assertRestores(newest.snapshot, everything);
  });

  it("go with the last older snapshot that needs them, one after the other, and what is left restores", async () => {
    const found = await retention();
    assert.deepEqual([found.get("moved")?.packs, found.get("rewrite")?.packs], [1, 1]);
    await night();
    await retention();
    const older = await night();
    await retention();
    newest = await night();
    const last = await retention();
    assert.deepEqual([...last.keys()], [], "what they had lies in packs of its own now, not beside what the next night drops");
    for (const store of ["local", "azure"]) {
      const left = await stored(store);
      assert.deepEqual(
        sparse.filter((id) => left.has(packKey(id))),
        [],
        `${store} has none of them`,
      );
    }
    const freed = full - total(await stored("local"));
    process.stdout.write(`freed ${freed} of ${full} bytes\n`);
    assert.ok(freed > 4_000_000, `${freed} of ${full} bytes were freed`);
    for (const { snapshot } of [older, newest]) await assertRestores(snapshot, everything);
  });
});
