import { activityInfo, Context } from "@temporalio/activity";
import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import { reachState } from "../../core/catalog/reach-state.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { recordRunEnded, recordRunStarted } from "../../core/catalog/record-run.ts";
import type { RunKind, RunOutcome } from "../../core/catalog/records.ts";
import type { FailureType } from "../../core/domain/failure.ts";
import { taskQueues, type VerifyInput } from "../../core/domain/run.ts";
import type { ActivityEnvironment } from "../environment.ts";

/** What kind of run it is. Said at its start and at its end: a run that was reset ends under another id than it started with. */
export interface RunFacts {
  readonly database: string | null;
  readonly kind: RunKind;
}

interface FailedStep {
  readonly type: string;
  readonly message: string;
  readonly store?: string;
}

const run = (): { workflowId: string; runId: string } => {
  const execution = activityInfo().workflowExecution;
  if (execution === undefined) throw new Error("a run's record belongs to a workflow");
  return { workflowId: execution.workflowId, runId: execution.runId };
};

/** The catalog's record of runs, and what one run starts after it. */
export const createRunActivities = ({ site }: ActivityEnvironment) => ({
  recordRunStarted: async ({ database, kind }: RunFacts): Promise<void> =>
    await recordRunStarted(await (await site()).catalog(), { ...run(), database, kind, at: new Date() }),

  recordRunEnded: async (input: RunFacts & { outcome: RunOutcome; failed: readonly FailedStep[] }): Promise<void> => {
    const { database, kind } = input;
    const first = input.failed[0];
    await recordRunStarted(await (await site()).catalog(), { ...run(), database, kind, at: new Date() });
    const message = input.failed.map((step) => (step.store === undefined ? step.message : `${step.store}: ${step.message}`)).join("; ");
    await recordRunEnded(await (await site()).catalog(), {
      ...run(),
      outcome: input.outcome,
      failureType: first?.type as FailureType | undefined,
      message: first === undefined ? undefined : message,
      at: new Date(),
    });
  },

  recordReplicated: async (input: { snapshot: string; copies: number; domains: number; failed: readonly FailedStep[] }): Promise<void> => {
    const { snapshot, copies, domains, failed } = input;
    const evidence = { copies, domains, failed: failed.map(({ store, type }) => ({ store, type })) };
    await reachState(await (await site()).catalog(), snapshot, "replicated", evidence, new Date());
  },

  /** Starts a verification that runs on its own: it needs a recipient's key, which this worker may not hold. */
  requestVerification: async ({ snapshot }: { snapshot: string }): Promise<void> => {
    const record = await getSnapshot(await (await site()).catalog(), snapshot);
    const { database, engine, policy } = record ?? {};
    const input: VerifyInput = { snapshot, depth: "sample", about: { database, engine, policy } };
    try {
      await Context.current().client.workflow.start("verify", {
        workflowId: `verify/${snapshot}`,
        taskQueue: taskQueues.orchestrate,
        args: [input],
        staticSummary: `verify ${snapshot}`,
      });
    } catch (error) {
      // An attempt before this one started it.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  },
});

export type RunActivities = ReturnType<typeof createRunActivities>;
