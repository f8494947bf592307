import { setTimeout as delay } from "node:timers/promises";
import type { Client, WorkflowHandle } from "@temporalio/client";
import { type Workflow, WorkflowNotFoundError } from "@temporalio/common";
import { Failure } from "../../core/domain/failure.ts";
import type { BackupProgress, BackupResult } from "../../core/domain/run.ts";
import { scheduleIds } from "../../core/domain/schedules.ts";
import { formatBytes, type Progress } from "../cli/terminal.ts";
import { awaitResult } from "../run-workflow.ts";
import { captureProgress } from "../watch-activities.ts";

/** Triggers the nightly schedules of these databases at once, and follows their runs to the end. */
export const triggerNightly = async (client: Client, databases: readonly string[], progress: Progress): Promise<BackupResult[]> => {
  const since = new Date();
  for (const name of databases) await client.schedule.getHandle(scheduleIds.backup(name)).trigger();
  const lines = new Map<string, string>();
  const runs = await Promise.allSettled(
    databases.map(async (name) => {
      const handle = await startedRun(client, scheduleIds.backup(name), since);
      return await awaitResult<BackupResult>(handle, async () => {
        lines.set(name, await describe(handle, name));
        progress.update([...lines.values()].join("   |   "));
      });
    }),
  );
  // Both are followed to their end before the first failure is told.
  return runs.map((run) => {
    if (run.status === "rejected") throw run.reason;
    return run.value;
  });
};

/** The run under this id that started no earlier than `since`: a schedule takes a moment to start it. */
const startedRun = async (client: Client, id: string, since: Date): Promise<WorkflowHandle<Workflow>> => {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const found = await client.workflow
      .getHandle(id)
      .describe()
      .catch((error: unknown) => {
        if (error instanceof WorkflowNotFoundError) return undefined;
        throw error;
      });
    if (found !== undefined && found.startTime.getTime() >= since.getTime() - 1_000) return client.workflow.getHandle(id, found.runId);
    if (Date.now() > deadline) throw new Failure("WorkerMissing", `the schedule ${id} was triggered, but no run of it started within 30 s`);
    await delay(100);
  }
};

const describe = async (handle: WorkflowHandle<Workflow>, name: string): Promise<string> => {
  const { step, storesDone } = (await handle.query("progress")) as BackupProgress;
  if (step === "capturing") return `${name}: capturing, ${formatBytes((await captureProgress(handle)).bytes)} read`;
  if (step === "replicating" && storesDone.length > 0) return `${name}: replicating (done: ${storesDone.join(", ")})`;
  return `${name}: ${step}`;
};
