import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Client, Connection, WorkflowFailedError } from "@temporalio/client";
import { ApplicationFailure } from "@temporalio/common";
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import { makeNamespace } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

Runtime.install({ logger: new DefaultLogger("ERROR") });

/**
 * What a run asks of its activities, and how it fails: the workflow is the real one, on the real server; its activities only note what they
 * were asked for.
 */
const runWith = async (failing: Record<string, () => Promise<never>>): Promise<{ asked: string[]; failure: [unknown, string] }> => {
  const { temporal } = await useStack("temporal");
  const namespace = `goes-on-${randomBytes(3).toString("hex")}`;
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, namespace });
  await makeNamespace(client, namespace);
  const native = await NativeConnection.connect({ address: temporal.address });

  const asked: string[] = [];
  const note = (what: string) => async () => void asked.push(what);
  let chosen = 0;
  const replicate = {
    endHolds: async () => ({ ended: [] }),
    planRemoval: async ({ database }: { database: string }) =>
      database === "shop" ? { snapshots: ["s-0", "s-1"], untold: ["s-0"] } : { snapshots: [] },
    removeSnapshots: async ({ snapshots, untold }: { snapshots: readonly string[]; untold: readonly string[] }) => {
      asked.push(`remove ${snapshots.join(" ")}, of which untold ${untold.join(" ")}`);
      return { removals: [] };
    },
    protectObjects: async ({ database }: { database: string }) => {
      asked.push(`protect ${database}`);
      if (database === "shop") await failing.protectObjects?.();
      return { problems: [] };
    },
    condemnUnreferenced: note("condemn"),
    chooseDeletions: async () => {
      chosen += 1;
      return { objects: [], keys: chosen === 1 ? ["envelopes/s-1"] : [], copies: { gone: 1, unpinned: 0, kept: 0 } };
    },
    deleteObjects: async () => {
      asked.push("delete");
      await failing.deleteObjects?.();
    },
    discardStalePlans: note("discard"),
    lookForUnreachable: async () => ({ stores: [] }),
    retireSparsePacks: async () => {
      asked.push("retire");
      return { sparse: [] };
    },
  };
  const readingReferences = async () => {
    asked.push("read references");
    await failing.readReferences?.();
  };
  const chain = {
    logMarks: async () => ({ logged: 0 }),
    logRemoval: note("log removal"),
    logDeletion: note("log deletion"),
    requestAnchoring: note("anchor"),
  };
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL("../../workflows/index.ts", import.meta.url)),
    logger: new DefaultLogger("ERROR"),
  });
  const common = { connection: native, namespace };
  const workers = await Promise.all([
    Worker.create({ ...common, taskQueue: "orchestrate", workflowBundle }),
    Worker.create({
      ...common,
      taskQueue: "capture",
      activities: { refreshRecoveryKit: note("refresh the kit"), readReferences: readingReferences },
    }),
    Worker.create({ ...common, taskQueue: "replicate", activities: replicate }),
    Worker.create({ ...common, taskQueue: "chain", activities: chain }),
  ]);
  const running = workers.map((worker) => worker.run());
  try {
    const run = client.workflow.execute("retention", {
      ...{ workflowId: "retention", taskQueue: "orchestrate" },
      args: [{ databases: ["shop", "hr"] }],
    });
    const error = await run.catch((reason: unknown) => reason);
    assert.ok(error instanceof WorkflowFailedError);
    let cause: Error | undefined = error;
    while (cause?.cause instanceof Error) cause = cause.cause;
    assert.ok(cause instanceof ApplicationFailure);
    return { asked, failure: [cause.type, cause.message] };
  } finally {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
    await native.close();
    await connection.close();
  }
};

const fails = (type: string, message: string) => async (): Promise<never> => {
  throw ApplicationFailure.nonRetryable(message, type);
};

test("a database whose objects cannot be protected keeps nothing else of the run from being done, and the run says so", async () => {
  const { asked, failure } = await runWith({ protectObjects: fails("SecretMissing", "store vault: its secret is missing") });
  assert.deepEqual(failure, ["SecretMissing", "shop: store vault: its secret is missing"]);
  assert.deepEqual(asked, [
    ...["remove s-0 s-1, of which untold s-0", "log removal", "refresh the kit", "protect shop", "protect hr"],
    ...["condemn", "log deletion", "delete", "discard", "anchor", "read references", "retire"],
  ]);
});

test("a store that cannot be reached keeps no destroyed envelope in the recovery kit", async () => {
  const { asked, failure } = await runWith({ deleteObjects: fails("StoreUnreachable", "store disk does not answer") });
  assert.deepEqual(failure, ["StoreUnreachable", "store disk does not answer"]);
  assert.ok(asked.includes("refresh the kit"), asked.join(", "));
});

test("references that cannot be read keep nothing from being deleted, and the run says so", async () => {
  const { asked, failure } = await runWith({ readReferences: fails("SecretMissing", "keys.indexKey is missing") });
  assert.deepEqual(failure, ["SecretMissing", "sparse packs: keys.indexKey is missing"]);
  assert.deepEqual(asked.slice(-4), ["delete", "discard", "anchor", "read references"]);
});
