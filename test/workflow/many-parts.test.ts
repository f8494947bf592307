import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { activityInfo, Context, heartbeat } from "@temporalio/activity";
import {
  type ActivityInboundCallsInterceptor,
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
} from "@temporalio/worker";
import { backupInputOf } from "../../client/run-policy.ts";
import { holdQueue } from "../../core/domain/hold-queue.ts";
import type { BackupProgress, BackupResult } from "../../core/domain/run.ts";
import { createDatabase, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

const tables = 450;

/** As the product's own, the activities of this test say that they are alive for as long as they run. */
const alive = (): ActivityInboundCallsInterceptor => ({
  execute: async (input, next) => {
    const beat = setInterval(() => heartbeat(), 2_000);
    try {
      return await next(input);
    } finally {
      clearInterval(beat);
    }
  },
});

/** Large plans must not make large histories, nor silent runs. */
describe("a database of many parts", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let test: TestSite;

  before(async () => {
    stack = await startStack();
    const source = await createDatabase(stack, "parts_source");
    await runSql(
      source,
      `DO $$ BEGIN FOR n IN 1..${tables} LOOP EXECUTE format('CREATE TABLE t%s AS SELECT g AS n, ''row '' || g AS text FROM generate_series(1, 3) g', n); END LOOP; END $$`,
    );
    test = await createTestSite({
      name: "parts",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: { stores: [], copies: 1, domains: 1, archive: [] },
      change: (config) => {
        config.anchors = [];
      },
    });
  });
  after(async () => {
    await test?.close();
  });

  const eventsOf = async (): Promise<number> => ((await test.client.workflow.getHandle("backup/shop").fetchHistory()).events ?? []).length;

  it("is captured in few batches, and comes back", async () => {
    const worker = await test.worker();
    const { snapshot, rows } = await test.backup("shop");
    assert.equal(rows, tables * 3);
    assert.ok((await eventsOf()) < 250, `${await eventsOf()} events`);
    const { code, json } = await test.dbgov("restore", snapshot, "--to", await createDatabase(stack, "parts_target"));
    assert.deepEqual([code, json.identical, json.rows], [0, true, tables * 3]);
    await worker.stop();
  });

  it("has a history below 5,000 events with as many batches as a run may have, and tells how far it is", async () => {
    // A plan of 400 batches is of a database beyond 25 GB, so here the activities only say what they would have done: the workflow is the
    // real one, on the real server.
    const batches = 400;
    Runtime.install({ logger: new DefaultLogger("ERROR") });
    const native = await NativeConnection.connect({ address: stack.temporal.address });
    let release: () => void = () => {};
    const half = new Promise<void>((resolve) => {
      release = resolve;
    });
    const none = async () => undefined;
    const capture = {
      recordRunStarted: none,
      recordRunEnded: none,
      recordReplicated: none,
      requestVerification: none,
      refreshRecoveryKit: none,
      discardPlan: none,
      inspectDatabase: async () => ({ version: "18", estimatedBytes: 1 }),
      planCapture: async () => ({ key: "plan", batches, estimatedBytes: 40_000_000_000 }),
      captureBatch: async ({ batch }: { batch: number }) => {
        if (batch >= batches / 2) await half;
        return { key: `batch-${batch}`, rows: 1, bytes: { read: 1, new: 1, stored: 1 } };
      },
      sealSnapshot: async () => ({ rows: batches, manifestHash: "00" }),
    };
    // On a queue of its own, so that runs that hold take none of the slots that they wait for.
    const holds = {
      holdSnapshot: async ({ ticket }: { ticket: string }) => {
        const { workflowId = "" } = activityInfo().workflowExecution ?? {};
        const held = { token: "t", consistency: "transactional", heldAt: new Date().toISOString(), ticket };
        await test.client.workflow.getHandle(workflowId).signal("held", held);
        await Context.current().cancelled;
      },
    };
    const replicate = { copyToStore: async ({ to }: { to: string }) => ({ store: to, packs: 1, verified: 1 }) };
    const chain = { logSnapshot: async () => ({ index: 0 }), requestAnchoring: none };
    const workflowBundle = await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL("../../workflows/index.ts", import.meta.url)),
      logger: new DefaultLogger("ERROR"),
    });
    const common = { connection: native, namespace: test.namespace, interceptors: { activity: [() => ({ inbound: alive() })] } };
    const workers = await Promise.all([
      Worker.create({ ...common, taskQueue: "orchestrate", workflowBundle }),
      Worker.create({ ...common, taskQueue: "capture", activities: capture, maxConcurrentActivityTaskExecutions: 500 }),
      Worker.create({ ...common, taskQueue: holdQueue, activities: holds, maxConcurrentActivityTaskExecutions: 1 }),
      Worker.create({ ...common, taskQueue: "replicate", activities: replicate }),
      Worker.create({ ...common, taskQueue: "chain", activities: chain }),
    ]);
    const running = workers.map((worker) => worker.run());
    try {
      const handle = await test.client.workflow.start("backup", {
        workflowId: "backup/shop",
        taskQueue: "orchestrate",
        args: [backupInputOf(test.site, "shop")],
      });
      const progress = async () => (await handle.query("progress")) as BackupProgress;
      while ((await progress()).batchesDone < batches / 2) await new Promise((resolve) => setTimeout(resolve, 200));
      const { step, batchesDone, batches: all, estimatedBytes } = await progress();
      assert.deepEqual([step, batchesDone, all, estimatedBytes], ["capturing", batches / 2, batches, 40_000_000_000]);
      const metadata = (await handle.query("__temporal_workflow_metadata")) as { currentDetails?: string };
      assert.match(metadata.currentDetails ?? "", /\*\*shop\*\*: capturing \(200 of 400 batches\)\n\nsnapshot `\d{8}T/);
      release();
      const result = (await handle.result()) as BackupResult;
      assert.deepEqual([result.state, result.bytes.read, result.rows], ["logged", batches, batches]);
      assert.ok((await eventsOf()) < 5_000, `${await eventsOf()} events`);
    } finally {
      release();
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
      await native.close();
    }
  });
});
