import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { lastRuns } from "../../core/catalog/last-runs.ts";
import { logEntries } from "../../core/catalog/read-log-entries.ts";
import { getSnapshot, latestSnapshot } from "../../core/catalog/read-snapshots.ts";
import type { BackupProgress, BackupResult } from "../../core/domain/run.ts";
import { assertNoSecrets } from "../sample/secrets.ts";
import { openTcpFront, type TcpFront, throughFront } from "../sample/tcp-front.ts";
import { createDatabase, createTestSite, databaseOf, runSql, type TestSite } from "../sample/test-site.ts";
import { findProgram } from "../stack/programs.ts";
import { progressToStderr } from "../stack/progress.ts";
import { useStack } from "../stack/use-stack.ts";

const rows = 3_000;

/** A run that failed is taken up again, by Temporal's own means, where it stopped. */
describe("reset of a failed backup", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let azure: TcpFront;
  let source: string;
  let test: TestSite;
  const catalog = () => test.site.catalog();
  const runs = async () => (await lastRuns(await catalog(), "shop")).filter(({ kind }) => kind === "backup");
  const kinds = async () => (await logEntries(await catalog(), { database: "shop" })).map(({ kind }) => kind);
  const resumeAt = async (): Promise<number> =>
    ((await test.client.workflow.getHandle("backup/shop").query("progress")) as BackupProgress).resumeAt;
  const result = async () => (await test.client.workflow.getHandle("backup/shop").result()) as BackupResult;
  /** `temporal workflow reset`, as the Temporal UI shows it in the failed run's details. */
  const reset = async (...point: string[]): Promise<void> => {
    const where = ["--address", stack.temporal.address, "--namespace", test.namespace, "--workflow-id", "backup/shop"];
    await promisify(execFile)(await findProgram("temporal", progressToStderr), [
      "workflow",
      "reset",
      ...where,
      "--reason",
      "cause removed",
      ...point,
    ]);
  };

  before(async () => {
    stack = await startStack();
    const blob = new URL(/BlobEndpoint=([^;]+)/.exec(stack.azurite.connectionString)?.[1] ?? "");
    azure = await openTcpFront({ host: blob.hostname, port: Number(blob.port) });
    source = await createDatabase(stack, "reset_source");
    await runSql(source, `CREATE TABLE orders AS SELECT n, md5(n::text) AS text FROM generate_series(1, ${rows}) n`);
    test = await createTestSite({
      name: "reset",
      stack: { ...stack, azurite: { connectionString: throughFront(stack.azurite.connectionString, blob.host, azure) } },
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: { stores: ["azure"], copies: 2, domains: 2, archive: [], patience: "1s" },
      change: (config) => {
        config.anchors = [];
      },
    });
    await test.worker();
  });
  after(async () => {
    await test?.close();
    await azure?.close();
  });

  /** A backup while the store is away: fails for that reason, and nothing of it is believed. Returns its snapshot. */
  const failWithoutStore = async (): Promise<string> => {
    const believed = await latestSnapshot(await catalog(), "shop", "replicated");
    await azure.down();
    const { code, json } = await test.dbgov("backup", "shop");
    assert.equal(code, 1);
    assert.equal(json.error.type, "QuorumMissed");
    assert.match(json.error.message, /is in 1 of 2 stores and 1 of 2 failure domains: azure: store "azure" .*127\.0\.0\.1/);
    const { snapshot } = (await test.client.workflow.getHandle("backup/shop").query("progress")) as BackupProgress;
    assert.deepEqual(
      (await getSnapshot(await catalog(), snapshot))?.states.map(({ state }) => state),
      ["captured", "sealed"],
    );
    assert.equal((await latestSnapshot(await catalog(), "shop", "replicated"))?.snapshot, believed?.snapshot);
    assert.equal((await kinds()).at(-1), "snapshot-failed");
    const { json: status } = await test.dbgov("status");
    assert.match(status.databases[0].lastFailure, /^QuorumMissed: .*azure/);
    await azure.up();
    return snapshot;
  };

  const assertRestores = async (snapshot: string, expected: number): Promise<void> => {
    const target = await createDatabase(stack, "reset_target");
    const { code, json } = await test.dbgov("restore", snapshot, "--to", target);
    assert.equal(code, 0);
    assert.deepEqual([json.identical, json.rows, json.damaged], [true, expected, []]);
  };

  it("finishes from the replication on, without reading the database again", async () => {
    const snapshot = await failWithoutStore();
    const away = new URL(source);
    away.pathname = "/postgres";
    // Nothing can read it now: whatever finishes has not read it again.
    await runSql(away.href, `ALTER DATABASE ${databaseOf(source)} RENAME TO ${databaseOf(source)}_away`);
    try {
      await reset("--event-id", String(await resumeAt()));
      const done = await result();
      assert.deepEqual([done.snapshot, done.state, done.degraded, done.rows], [snapshot, "logged", false, rows]);
      assert.deepEqual(
        done.replicas.map(({ store, packs }) => [store, packs > 0]),
        [
          ["local", true],
          ["azure", true],
        ],
      );
      await assertRestores(snapshot, rows);
    } finally {
      await runSql(away.href, `ALTER DATABASE ${databaseOf(source)}_away RENAME TO ${databaseOf(source)}`);
    }
    assert.deepEqual(
      (await runs()).map(({ outcome, failureType }) => [outcome, failureType]),
      [
        ["done", null],
        ["failed", "QuorumMissed"],
      ],
    );
    assert.deepEqual(
      (await kinds()).filter((kind) => kind !== "snapshot-verified"),
      ["snapshot-failed", "snapshot-sealed", "snapshot-replicated"],
    );
    const { json: status } = await test.dbgov("status");
    assert.deepEqual([status.databases[0].lastFailure, status.databases[0].copies], [null, 2]);
  });

  it("does so from the Temporal UI, too", async () => {
    await runSql(source, "INSERT INTO orders SELECT n, 'more' FROM generate_series(1, 10) n");
    const snapshot = await failWithoutStore();
    const { runId } = await test.client.workflow.getHandle("backup/shop").describe();
    // What the page's button sends, with the token that the page has got.
    const page = await fetch(`${stack.temporal.ui}/api/v1/settings`);
    const cookie = page.headers.getSetCookie().map((text) => text.split(";")[0]);
    const token = cookie.find((text) => text?.startsWith("_csrf="))?.slice("_csrf=".length) ?? "";
    const path = `namespaces/${test.namespace}/workflows/${encodeURIComponent("backup/shop")}/reset`;
    const answer = await fetch(`${stack.temporal.ui}/api/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", cookie: cookie.join("; "), "x-csrf-token": token },
      body: JSON.stringify({
        workflowExecution: { workflowId: "backup/shop", runId },
        reason: "the store is back",
        workflowTaskFinishEventId: String(await resumeAt()),
        requestId: crypto.randomUUID(),
      }),
    });
    assert.equal(answer.status, 200, await answer.clone().text());
    const done = await result();
    assert.deepEqual([done.snapshot, done.degraded, done.rows], [snapshot, false, rows + 10]);
  });

  it("starts over from the first workflow task with a snapshot of its own, misled by no signal of the run before", async () => {
    const before = await result();
    await runSql(source, "DELETE FROM orders WHERE text = 'more'");
    await reset("--type", "FirstWorkflowTask");
    const done = await result();
    assert.notEqual(done.snapshot, before.snapshot);
    assert.deepEqual([done.state, done.degraded, done.rows], ["logged", false, rows]);
    const handle = test.client.workflow.getHandle("backup/shop");
    const events = (await handle.fetchHistory()).events ?? [];
    const holds = events.filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === "holdSnapshot");
    assert.equal(holds.length, 1, "the first hold served");
    await assertRestores(done.snapshot, rows);
  });

  it("takes up a run that failed before its capture once the password is right", async () => {
    const right = process.env.SHOP_URL as string;
    const wrong = new URL(right);
    wrong.password = "not-the-password";
    await test.reconfigure((config) => {
      config.databases[0].url = { file: "shop.url" };
    });
    const file = join(dirname(test.config), "shop.url");
    await writeFile(file, wrong.href, { mode: 0o600 });
    const { code, json } = await test.dbgov("backup", "shop");
    assert.deepEqual([code, json.error.type], [1, "AuthenticationRejected"]);
    assert.ok(!JSON.stringify(json).includes("not-the-password"));
    await writeFile(file, right, { mode: 0o600 });
    await reset("--event-id", String(await resumeAt()));
    const done = await result();
    assert.deepEqual([done.state, done.rows], ["logged", rows]);
    assert.equal((await runs())[0]?.outcome, "done");
  });

  it("has told no secret to Temporal or to a log", async () => {
    await assertNoSecrets(test);
  });
});
