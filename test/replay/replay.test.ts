import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from "@temporalio/worker";
import { DeterminismViolationError } from "@temporalio/workflow";

const folder = join(import.meta.dirname, "histories");
const names = readdirSync(folder).map((file) => file.replace(/\.json$/, ""));
const textOf = (name: string): string => readFileSync(join(folder, `${name}.json`), "utf8");
const historyOf = (name: string): { events: Record<string, unknown>[] } => JSON.parse(textOf(name));
const bundle = (entry: string) =>
  bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL(entry, import.meta.url)), logger: new DefaultLogger("ERROR") });

/** Runs of real workflows, saved by `npm run histories`, replayed against the workflows as they are now. */
describe("saved histories", () => {
  let current: Awaited<ReturnType<typeof bundle>>;
  before(async () => {
    Runtime.install({ logger: new DefaultLogger("ERROR") });
    current = await bundle("../../workflows/index.ts");
  });

  const kinds = ["done", "failed", "cancelled", "reset", "held-anew"].map((kind) => `backup-${kind}`);
  const others = [
    "anchor-continued",
    "anchor-done",
    "approval-done",
    "approval-expired",
    "configuration-done",
    "drill-done",
    "drill-failed",
    "evacuate-continued",
    "evacuate-done",
    "hold-placed",
    "on-schedule",
    "publish-continued",
    "publish-done",
    "renewal-done",
    "repair-done",
    "repair-failed",
    "repair-replaced",
    "retention-continued",
    "retention-done",
    "sweep-done",
    "timestamp-done",
  ];
  it("are of every workflow, and of every way in which a backup can end", () => {
    assert.deepEqual(names.toSorted(), [...kinds, ...others, "verify-done", "verify-failed"].toSorted());
    const last = (name: string): unknown => historyOf(name).events.at(-1)?.eventType;
    assert.equal(last("backup-done"), "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED");
    assert.equal(last("backup-failed"), "EVENT_TYPE_WORKFLOW_EXECUTION_FAILED");
    assert.equal(last("backup-cancelled"), "EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED");
    assert.equal(last("backup-reset"), "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED");
    assert.match(textOf("backup-reset"), /WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW/);
    assert.equal(last("anchor-continued"), "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW");
    assert.equal(last("drill-failed"), "EVENT_TYPE_WORKFLOW_EXECUTION_FAILED");
  });

  it("tell nothing of the machine that recorded them", () => {
    for (const name of names) {
      const text = textOf(name);
      const payloads = [...text.matchAll(/"data":"([A-Za-z0-9+/=]+)"/g)].map((match) =>
        Buffer.from(match[1] ?? "", "base64").toString("utf8"),
      );
      const all = [text, ...payloads].join("\n");
      assert.doesNotMatch(all, /"identity"|file:\/\/|\/(?:home|root|work|Users)\/|dbgov histories/, name);
    }
  });

  for (const name of names) {
    it(`are compatible with the workflows as they are: ${name}`, async () => {
      await Worker.runReplayHistory({ workflowBundle: current }, historyOf(name), name);
    });
  }

  it("are not with a workflow that was changed", async () => {
    const workflowBundle = await bundle("./changed-workflows.ts");
    await assert.rejects(Worker.runReplayHistory({ workflowBundle }, historyOf("backup-done"), "changed"), DeterminismViolationError);
    await Worker.runReplayHistory({ workflowBundle }, historyOf("drill-done"), "unchanged");
  });
});
