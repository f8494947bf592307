import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { getPlanObject, putPlanObject } from "../../activities/snapshot/plan-objects.ts";
import { liveSnapshots } from "../../core/catalog/live-snapshots.ts";
import type { BackupResult } from "../../core/domain/run.ts";
import { type TakeoverRecord, takeoverKey } from "../../core/snapshot/takeover.ts";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import { openTcpFront, type TcpFront, throughFront } from "../sample/tcp-front.ts";
import { createSource, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

/** Ranges that the database calls unchanged are not read again, and what is restored is the same all the same. */
describe("unchanged ranges", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let source: string;
  /** All that the database sends to dbgov passes here. */
  let front: TcpFront;
  let test: TestSite;
  const backup = async (...options: string[]): Promise<BackupResult> => {
    const { code, stdout, stderr } = await test.dbgov("backup", "shop", ...options, "--json");
    assert.equal(code, 0, `${stdout}${stderr}`);
    return JSON.parse(stdout) as BackupResult;
  };
  const restored = async (snapshot: string, name: string): Promise<string> => {
    const target = await createSampleDatabase(stack.postgres.url, name);
    const { code, stdout } = await test.dbgov("restore", snapshot, "--to", target, "--json");
    assert.equal(code, 0, stdout);
    assert.equal((JSON.parse(stdout) as { identical: boolean }).identical, true);
    return target;
  };
  const digest = async (url: string): Promise<string> => {
    const [row] = await runSql<{ digest: string }>(
      url,
      `SELECT md5(string_agg(t::text, '|' ORDER BY n)) || (SELECT md5(string_agg(s::text, '|' ORDER BY n)) FROM small s) AS digest FROM big t`,
    );
    return row?.digest ?? "";
  };
  /**
   * Waits until whatever ran when the last rows were written is over, others' long transactions on the shared server too: what is
   * written while one runs looks new until a snapshot is taken after it.
   */
  const settled = async (): Promise<void> => {
    const [now] = await runSql<{ id: string }>(source, "SELECT pg_current_xact_id()::text AS id");
    const over = `SELECT WHERE pg_snapshot_xmin(pg_current_snapshot()) > '${now?.id}'::xid8`;
    while ((await runSql(source, over)).length === 0) await delay(100);
  };
  let first: BackupResult;
  /** The rows have changed a little since the first night. */
  const readEverything = ({ bytes }: BackupResult): boolean => bytes.read > first.bytes.read * 0.99;

  before(async () => {
    stack = await startStack();
    source = await createSource(stack, "takeover_source");
    await runSql(
      source,
      `CREATE TABLE big AS SELECT n, repeat(md5(n::text), 4) AS text FROM generate_series(1, 60000) n;
       CREATE TABLE small AS SELECT n, n / 3.0 AS third FROM generate_series(1, 100) n`,
    );
    const { hostname, port, host } = new URL(source);
    front = await openTcpFront({ host: hostname, port: Number(port) });
    test = await createTestSite({
      name: "takeover",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: throughFront(source, host, front) }],
      policy: { stores: ["azure"], copies: 2, domains: 2, archive: [], fullReadEvery: 4 },
      change: (config) => {
        config.anchors = [];
      },
    });
    await test.worker();
    await settled();
    first = await backup();
  });
  after(async () => {
    await test?.close();
    await front?.close();
  });

  it("do not leave the database, and come back with the rest", async () => {
    await runSql(source, "UPDATE small SET third = 0 WHERE n = 7");
    await settled();
    const second = await backup();
    assert.equal(second.rows, first.rows);
    assert.ok(second.bytes.read < first.bytes.read / 50, `${second.bytes.read} of ${first.bytes.read} bytes were read`);
    for (const { packs, verified } of second.replicas) assert.ok(packs >= 1 && verified >= 1);
    assert.equal(await digest(await restored(second.snapshot, "takeover_second")), await digest(source));
  });

  it("are read all the same when somebody asks for it, or when it is time to", async () => {
    const forced = await backup("--full");
    assert.ok(readEverything(forced));
    assert.ok(forced.bytes.new < first.bytes.read / 50, "what was read is known to the repository");
    const nights: boolean[] = [];
    for (let night = 1; night <= 4; night += 1) nights.push(readEverything(await backup()));
    assert.deepEqual(nights, [false, false, false, true]);
  });

  it("raise an alarm when a full read finds other content than the server's word stands for, and are then read", async () => {
    const signal = new AbortController().signal;
    const { snapshot } = await backup();
    const store = await test.site.store("local");
    const { indexKey } = await test.site.repositoryKeys();
    const record = await getPlanObject<TakeoverRecord>(store, indexKey, takeoverKey(snapshot), signal);
    const lying = { ...record, parts: record.parts.map((part) => ({ ...part, sum: "0000000000000001" })) };
    await putPlanObject(store, indexKey, takeoverKey(snapshot), lying, signal);

    const { code, stdout } = await test.dbgov("backup", "shop", "--full", "--json");
    assert.equal(code, 5, stdout);
    const { error } = JSON.parse(stdout) as { error: { type: string; message: string } };
    assert.equal(error.type, "TakeoverUnsound");
    assert.match(error.message, /public\.(big|small)/);
    const live = await liveSnapshots(await test.site.catalog(), "shop");
    const doubtful = live.slice(0, record.sinceFull);
    assert.ok(
      doubtful.length > 0 && doubtful.every(({ states }) => !states.includes("verified")),
      "what relied on that word is not verified any more",
    );
    assert.ok(readEverything(await backup()), "nothing more is taken over on that word");
  });

  it("are read again after the table was rewritten", async () => {
    await runSql(source, "VACUUM FULL big");
    const rewritten = await backup();
    assert.ok(readEverything(rewritten), `${rewritten.bytes.read} bytes were read`);
    assert.equal(await digest(await restored(rewritten.snapshot, "takeover_rewritten")), await digest(source));
  });

  it("are all that there is on a quiet night: less than one byte in a hundred leaves the database, of whatever kind", async () => {
    // So large that questions to the catalog, pg_dump's above all, do not count.
    await runSql(source, "CREATE TABLE wide AS SELECT n, repeat(md5(n::text), 32768) AS text FROM generate_series(1, 120) n");
    const sentBy = async (): Promise<{ sent: number; result: BackupResult }> => {
      const before = front.received();
      const result = await backup();
      return { result, sent: front.received() - before };
    };
    await settled();
    const busy = await sentBy();
    assert.ok(busy.sent > 120 * 2 ** 20, `${busy.sent} bytes left it at first`);
    const quiet = await sentBy();
    assert.ok(quiet.sent < busy.sent / 100, `${quiet.sent} of ${busy.sent} bytes left it again`);
    assert.equal(quiet.result.rows, busy.result.rows);
    // A definition too small for its content to be a key is new every time.
    assert.ok(quiet.result.bytes.new < 10_000, `${quiet.result.bytes.new} bytes are new`);
  });
});
