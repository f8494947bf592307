import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import type { CapturedBatch } from "../../activities/snapshot/capture-batch.ts";
import { type BatchRef, createSnapshotActivities, type PlanRef } from "../../activities/snapshot/index.ts";
import { getPlanObject } from "../../activities/snapshot/plan-objects.ts";
import { migrate } from "../../core/catalog/migrate.ts";
import type { Hold } from "../../core/databases/engine.ts";
import { engineOf } from "../../core/databases/engines.ts";
import { snapshotId } from "../../core/domain/snapshot.ts";
import { openThreadPool, type ThreadPool } from "../../core/snapshot/thread-pool.ts";
import { openTcpFront, type TcpFront, throughFront } from "../sample/tcp-front.ts";
import { createDatabase, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

const signal = new AbortController().signal;

/** One activity's attempts, on the real database, catalog and store. */
describe("checkpoints of a capture", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
  let test: TestSite;
  let database: TcpFront;
  let hold: Hold;
  let threads: ThreadPool;
  let activities: ReturnType<typeof createSnapshotActivities>;

  before(async () => {
    const stack = await startStack();
    const { hostname, port, host } = new URL(stack.postgres.url);
    database = await openTcpFront({ host: hostname, port: Number(port) });
    const source = await createDatabase(stack, "checkpoints_source");
    // So much that the first table fills a pack, and so a checkpoint. The second is the one that stands still.
    const hex = (rows: number) =>
      `SELECT n, (SELECT string_agg(md5(random()::text || n || k), '') FROM generate_series(1, 30) k) AS text FROM generate_series(1, ${rows}) n`;
    await runSql(source, `CREATE TABLE a_first AS ${hex(45_000)}; CREATE TABLE b_second AS ${hex(9_000)}; ANALYZE`);
    test = await createTestSite({
      name: "checkpoints",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: throughFront(source, host, database) }],
      policy: { stores: [], copies: 1, domains: 1, archive: [] },
    });
    await migrate(await test.site.catalog());
    hold = await (await engineOf("postgres")).hold(await test.site.databaseUrl("shop"), signal);
    threads = openThreadPool(2);
    const environment: ActivityEnvironment = { site: async () => test.site, threads, checkpointBytes: 1_000_000 };
    activities = createSnapshotActivities(environment);
  });
  after(async () => {
    database?.thaw();
    await hold?.close();
    await threads?.close();
    await test?.close();
    await database?.close();
  });

  it("are where the next attempt begins: what they hold is not read again", async () => {
    const snapshot = snapshotId(new Date(), randomUUID());
    const common = { database: "shop", snapshot, token: hold.token, landing: "local" };
    const planner = new MockActivityEnvironment({ activityId: "1", attempt: 1 });
    const plan = (await planner.run(activities.planCapture, { ...common, full: true, fullReadEvery: 30 })) as PlanRef;
    assert.equal(plan.batches, 1);
    const input = { ...common, plan: plan.key, batch: 0 };

    const first = new MockActivityEnvironment({ activityId: "2", attempt: 1 });
    let last: { kept?: string[] } = {};
    const checkpointed = new Promise<void>((resolve) => {
      first.on("heartbeat", (details: { kept?: string[] }) => {
        last = details;
        if ((details.kept?.length ?? 0) > 0) resolve();
      });
    });
    // The first table has about 43 MB, the second 9.
    const frozen = database.freezeAfter(46_500_000);
    const attempt = first.run(activities.captureBatch, input);
    await Promise.race([Promise.all([checkpointed, frozen]), attempt]);
    const readByFirst = database.received();
    first.cancel("WORKER_SHUTDOWN");
    await assert.rejects(attempt);
    assert.ok((last.kept?.length ?? 0) >= 1, "a checkpoint was told before the end");
    database.thaw();

    const second = new MockActivityEnvironment({ activityId: "2", attempt: 2, heartbeatDetails: last });
    const told: { kept?: string[] }[] = [];
    second.on("heartbeat", (details) => told.push(details));
    const { key, rows } = (await second.run(activities.captureBatch, input)) as BatchRef;
    assert.ok((told[0]?.kept?.length ?? 0) >= 1, "an attempt that dies at once does not lose what was kept before");
    assert.equal(rows, 54_000);
    const { indexKey } = await test.site.repositoryKeys();
    const captured = await getPlanObject<CapturedBatch>(await test.site.store("local"), indexKey, key, signal);
    assert.equal(new Set(captured.parts.map(({ part }) => part.join("/"))).size, captured.parts.length, "each part once");
    const readBySecond = database.received() - readByFirst;
    assert.ok(readBySecond < 10_500_000, `the first table was not read again (${readBySecond} bytes were)`);
    assert.ok(readBySecond > 8_000_000, "the second one was");
  });
});
