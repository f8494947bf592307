import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { WorkflowHandle } from "@temporalio/client";
import { CancelledFailure } from "@temporalio/common";
import { lastRuns } from "../../core/catalog/last-runs.ts";
import { logEntries } from "../../core/catalog/read-log-entries.ts";
import type { BackupProgress, BackupResult } from "../../core/domain/run.ts";
import { outcomeKey } from "../../workflows/search-attributes.ts";
import type { RunningWorker } from "../sample/run-worker.ts";
import { assertNoSecrets } from "../sample/secrets.ts";
import { openTcpFront, type TcpFront, throughFront } from "../sample/tcp-front.ts";
import { createDatabase, createTestSite, databaseOf, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

const captureQueues = ["capture", "replicate", "chain", "restore"] as const;
const otherQueues = ["orchestrate", "replicate", "chain", "restore"] as const;

/** Workers that die, drain and come back; runs that are cancelled. Captures are stopped in their middle by a front of the database. */
describe("workers that go away in the middle of a capture", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let database: TcpFront;
  let source: string;
  let test: TestSite;
  let orchestrator: RunningWorker;
  let rows: number;

  before(async () => {
    stack = await startStack();
    const { hostname, port, host } = new URL(stack.postgres.url);
    database = await openTcpFront({ host: hostname, port: Number(port) });
    source = await createDatabase(stack, "kill_source");
    // One batch that is large enough to be stopped in, and small ones that are done by then.
    await runSql(
      source,
      `CREATE TABLE large AS SELECT n, repeat(md5(n::text), 30) AS text FROM generate_series(1, 80000) n;
       CREATE TABLE small AS SELECT n FROM generate_series(1, 1000) n;
       ANALYZE`,
    );
    rows = 81_000;
    test = await createTestSite({
      name: "kill",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: throughFront(source, host, database) }],
      policy: { stores: [], copies: 1, domains: 1, archive: [], patience: "1m" },
      change: (config) => {
        config.anchors = [];
      },
    });
    orchestrator = await test.worker({ queues: [...otherQueues] });
  });
  after(async () => {
    database?.thaw();
    await test?.close();
    await database?.close();
  });

  const workerOf = async (handle: WorkflowHandle, activity: string): Promise<number> => {
    const pending = (await handle.describe()).raw.pendingActivities ?? [];
    const found = pending.find(({ activityType }) => activityType?.name === activity);
    return Number(found?.lastWorkerIdentity?.split("@")[0]);
  };
  const within = async (seconds: number, what: string, condition: () => Promise<boolean>): Promise<void> => {
    const deadline = Date.now() + seconds * 1_000;
    while (!(await condition().catch(() => false))) {
      if (Date.now() > deadline) assert.fail(`not within ${seconds} s: ${what}`);
      await delay(100);
    }
  };
  /** A run that stands still in the middle of its large table. */
  const stoppedInCapture = async (): Promise<WorkflowHandle> => {
    const frozen = database.freezeAfter(6_000_000);
    const handle = await test.startBackup("shop", { full: true });
    await frozen;
    return handle;
  };
  const finish = async (handle: WorkflowHandle): Promise<BackupResult> => {
    const done = (await handle.result()) as BackupResult;
    assert.deepEqual([done.state, done.degraded, done.rows], ["logged", false, rows]);
    const target = await createDatabase(stack, "kill_target");
    const { code, json } = await test.dbgov("restore", done.snapshot, "--to", target);
    assert.deepEqual([code, json.identical, json.rows], [0, true, rows]);
    return done;
  };
  const queriesLeft = (): Promise<{ query: string }[]> =>
    runSql(
      source,
      "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'dbgov%' AND pid <> pg_backend_pid()",
    );

  const holdsOf = async (handle: WorkflowHandle): Promise<number> =>
    ((await handle.fetchHistory()).events ?? []).filter(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === "holdSnapshot",
    ).length;

  it("takes over what a killed worker was capturing, while another holds the snapshot", async () => {
    const holder = await test.worker({ queues: [...captureQueues], grace: "60s" });
    const planning = database.freezeAfter(2_000);
    const handle = await test.startBackup("shop", { full: true });
    await planning;
    assert.equal(((await handle.query("progress")) as BackupProgress).step, "planning");
    // It takes no new work from here on, but keeps what it has: the hold, and the planning.
    const holderGone = holder.stop();
    const reader = await test.worker({ queues: [...captureQueues] });
    database.thaw();
    await database.freezeAfter(6_000_000);
    await within(5, "the capture is on the second worker", async () => (await workerOf(handle, "captureBatch")) === reader.pid);
    const third = await test.worker({ queues: [...captureQueues] });
    await reader.kill();
    database.thaw();
    await finish(handle);
    assert.equal(await holdsOf(handle), 1, "the first hold served to the end");
    assert.equal(await holderGone, 0, "drained, and gone within its grace");
    await third.stop();
  });

  it("holds and captures anew when the worker that held is killed", async () => {
    const first = await test.worker({ queues: [...captureQueues] });
    const handle = await stoppedInCapture();
    assert.equal(await workerOf(handle, "holdSnapshot"), first.pid);
    const second = await test.worker({ queues: [...captureQueues] });
    await first.kill();
    database.thaw();
    await finish(handle);
    assert.equal(await holdsOf(handle), 2);
    await second.stop();
  });

  it("tries a step that takes a moment again within seconds of its worker's end", async () => {
    const first = await test.worker({ queues: [...captureQueues] });
    const frozen = database.freezeAfter(0);
    const handle = await test.startBackup("shop", { full: true });
    await frozen;
    assert.equal(await workerOf(handle, "inspectDatabase"), first.pid);
    await first.kill();
    database.thaw();
    const second = await test.worker({ queues: [...captureQueues] });
    await within(60, "the second worker holds a snapshot", async () => (await holdsOf(handle)) > 0);
    await finish(handle);
    await second.stop();
  });

  it("goes on after a worker that was told to stop, which leaves in time", async () => {
    const first = await test.worker({ queues: [...captureQueues], grace: "1s" });
    const handle = await stoppedInCapture();
    const asked = Date.now();
    assert.equal(await first.stop(), 0);
    assert.ok(Date.now() - asked < 12_000, "a second of grace, and a moment to close what was open");
    assert.deepEqual(await queriesLeft(), []);
    database.thaw();
    const second = await test.worker({ queues: [...captureQueues] });
    await finish(handle);
    await second.stop();
  });

  it("finishes after all workers were killed and one is started again", async () => {
    const first = await test.worker({ queues: [...captureQueues] });
    const handle = await stoppedInCapture();
    await Promise.all([first.kill(), orchestrator.kill()]);
    database.thaw();
    await test.worker();
    await finish(handle);
  });

  // From here on one worker serves all queues.
  it("leaves no query behind when it is cancelled, and is on record as not done", async () => {
    const handle = await stoppedInCapture();
    assert.ok((await queriesLeft()).length > 1);
    await handle.cancel();
    await within(8, "no query of the run is left", async () => (await queriesLeft()).length === 0);
    await assert.rejects(handle.result(), (error: Error) => error.cause instanceof CancelledFailure);
    database.thaw();
    const catalog = await test.site.catalog();
    const [run] = await lastRuns(catalog, "shop");
    assert.deepEqual([run?.kind, run?.outcome, run?.failureType, run?.message], ["backup", "failed", "Cancelled", "the run was cancelled"]);
    assert.equal((await logEntries(catalog, { database: "shop" })).at(-1)?.kind, "snapshot-failed");
    const { typedSearchAttributes } = await handle.describe();
    assert.equal(typedSearchAttributes.get(outcomeKey), "cancelled");
    await finish(await test.startBackup("shop", { full: true }));
  });

  it("waits for a database that goes away in the middle, and holds anew", async () => {
    const handle = await stoppedInCapture();
    await database.down();
    database.thaw();
    await within(20, "the workflow looks for the database again", async () =>
      ((await handle.describe()).raw.pendingActivities ?? []).some(({ activityType }) => activityType?.name === "inspectDatabase"),
    );
    await database.up();
    await finish(handle);
  });

  it("says that the database is gone when it is dropped in the middle", async () => {
    const handle = await stoppedInCapture();
    await runSql(stack.postgres.url, `DROP DATABASE ${databaseOf(source)} WITH (FORCE)`);
    database.thaw();
    const { code, json } = await test.dbgov("backup", "shop"); // joins the run
    assert.deepEqual([code, json.error.type], [1, "DatabaseMissing"]);
    assert.ok(json.error.message.includes(databaseOf(source)), json.error.message);
    await assert.rejects(handle.result());
    const [run] = await lastRuns(await test.site.catalog(), "shop");
    assert.deepEqual([run?.outcome, run?.failureType], ["failed", "DatabaseMissing"]);
  });

  it("has told no secret to Temporal or to a log", async () => {
    await assertNoSecrets(test);
  });
});
