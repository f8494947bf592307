import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Client, Connection, type WorkflowHandle } from "@temporalio/client";
import { ApplicationFailure } from "@temporalio/common";
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import { archivesHeads } from "../../activities/anchor/request-anchoring.ts";
import type { Site } from "../../core/site/site.ts";
import { makeNamespace } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

// The workflows are the real ones, on the real server; their activities only say what they would have done.

const stack = await useStack("temporal");
const namespace = `attributes-${randomBytes(3).toString("hex")}`;
const about = { database: "shop", engine: "postgres", policy: "nightly" };
let client: Client;
let close: () => Promise<void>;
let archived = 0;
let chainAdded = false;

before(async () => {
  Runtime.install({ logger: new DefaultLogger("ERROR") });
  const connection = await Connection.connect({ address: stack.temporal.address });
  client = new Client({ connection, namespace });
  await makeNamespace(client, namespace);
  const native = await NativeConnection.connect({ address: stack.temporal.address });
  const none = async () => undefined;
  const activities = {
    changeHold: async ({ id }: { id: string }) => {
      if (id === "h-none") throw ApplicationFailure.nonRetryable("there is no hold h-none", "NameUnknown");
      return { database: "shop" };
    },
    logHold: none,
    requestAnchoring: none,
    logVerified: none,
    verifySnapshot: async ({ snapshot }: { snapshot: string }) => {
      if (snapshot === "unreadable") throw ApplicationFailure.nonRetryable("the store is away", "StoreUnreachable");
      return { snapshot, verified: true, objects: 1, bytes: 1, problems: [] };
    },
    submitCheckpoint: async () => null,
    stampCheckpoint: async () => ({ size: 7, time: "2026-11-24T00:00:00Z", archives: !chainAdded }),
    archiveCheckpoint: async () => {
      archived += 1;
      return { stores: ["arweave"] };
    },
  };
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL("../../workflows/index.ts", import.meta.url)),
    logger: new DefaultLogger("ERROR"),
  });
  const common = { connection: native, namespace };
  const workers = await Promise.all([
    Worker.create({ ...common, taskQueue: "orchestrate", workflowBundle }),
    ...["replicate", "chain", "restore"].map((taskQueue) => Worker.create({ ...common, taskQueue, activities })),
  ]);
  const running = workers.map((worker) => worker.run());
  close = async () => {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
    await native.close();
    await connection.close();
  };
});
after(() => close());

const start = (type: string, workflowId: string, input: unknown): Promise<WorkflowHandle> =>
  client.workflow.start(type, { workflowId, taskQueue: "orchestrate", args: [input] });

/** What its run can be found by once it has ended. */
const attributesOf = async (handle: WorkflowHandle): Promise<Record<string, unknown>> => {
  await handle.result().catch(() => undefined);
  const { searchAttributes } = await handle.describe();
  const names = ["Database", "Engine", "Policy", "Outcome"];
  return Object.fromEntries(
    names.flatMap((name) => ((found) => (found === undefined ? [] : [[name, found[0]]]))(searchAttributes[`Dbgov${name}`])),
  );
};

const hold = { id: "h-1", lifted: false, database: null, snapshot: "s", reason: "case", by: "legal" };

test("a hold is found by the database of its snapshot, and by how it ended", async () => {
  assert.deepEqual(await attributesOf(await start("hold", "hold/h-1", hold)), { Database: "shop", Outcome: "done" });
  const lifted = { ...hold, id: "h-none", lifted: true, snapshot: null };
  assert.deepEqual(await attributesOf(await start("hold", "hold/h-none", lifted)), { Outcome: "failed" });
});

test("a verification is found by database, engine and policy, also when it could not be done", async () => {
  const of = { Database: "shop", Engine: "postgres", Policy: "nightly" };
  const verify = (snapshot: string) => start("verify", `verify/${snapshot}`, { snapshot, depth: "sample", about });
  assert.deepEqual(await attributesOf(await verify("good")), { ...of, Outcome: "done" });
  assert.deepEqual(await attributesOf(await verify("unreadable")), { ...of, Outcome: "failed" });
});

test("what a schedule starts is found as what it starts; what ran already was skipped", async () => {
  const of = { Database: "shop", Engine: "postgres", Policy: "nightly" };
  const scheduled = (n: number, id: string, args: unknown[], type = "hold") =>
    start("onSchedule", `schedule/${n}`, { type, id, args, about });
  assert.deepEqual(await attributesOf(await scheduled(1, "hold/scheduled", [hold])), { ...of, Outcome: "done" });
  assert.deepEqual(await attributesOf(await scheduled(2, "hold/bad", [{ ...hold, id: "h-none" }])), { ...of, Outcome: "failed" });
  const running = await start("timestamp", "busy", { authority: "tsa", everyMs: 3_600_000 });
  assert.deepEqual(await attributesOf(await scheduled(3, "busy", [], "timestamp")), { ...of, Outcome: "skipped" });
  await running.terminate();
});

test("an anchoring says how it ended", async () => {
  const anchor = await start("anchor", "anchor/x", { anchor: "x", everyMs: 1, pollMs: 1 });
  assert.deepEqual(await attributesOf(anchor), { Outcome: "done" });
});

test("a run that has heads time-stamped no longer archives them once a chain was added", async () => {
  archived = 0;
  const stamp = async () => {
    const handle = await client.workflow.signalWithStart("timestamp", {
      ...{ workflowId: "timestamp/tsa", taskQueue: "orchestrate", signal: "timestamp" },
      args: [{ authority: "tsa", everyMs: 1, archives: true }],
    });
    await handle.result();
  };
  await stamp();
  const before = archived;
  assert.ok(before > 0);
  chainAdded = true;
  await stamp();
  assert.equal(archived, before);
});

test("heads go to the archives once: with a chain where there is one, else with the first authority", () => {
  const siteOf = (anchors: readonly object[]) =>
    ({ loaded: { config: { anchors, timestampAuthorities: [{ name: "a" }, { name: "b" }] } } }) as unknown as Site;
  assert.deepEqual(
    [archivesHeads(siteOf([]), "a"), archivesHeads(siteOf([]), "b"), archivesHeads(siteOf([{}]), "a")],
    [true, false, false],
  );
});
