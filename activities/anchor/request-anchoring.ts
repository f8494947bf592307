import { Context } from "@temporalio/activity";
import { latestPublished } from "../../core/catalog/latest-checkpoint.ts";
import { durationMs } from "../../core/domain/duration.ts";
import { taskQueues } from "../../core/domain/run.ts";
import type { ActivityEnvironment } from "../environment.ts";

export interface AnchorInput {
  readonly anchor: string;
  /** Milliseconds between two anchorings. */
  readonly everyMs: number;
  /** Milliseconds between two looks at a transaction on its way to finality. */
  readonly pollMs: number;
  /** So many new entries are anchored without waiting for the time to pass. */
  readonly afterEntries?: number;
}

export const createRequestAnchoring = ({ site }: ActivityEnvironment) => ({
  /** Tells the workflow of each anchor that the log has grown, and starts it if it does not run. */
  requestAnchoring: async (): Promise<void> => {
    const at = await site();
    const { config } = at.loaded;
    const head = await latestPublished(await at.catalog(), config.log.origin);
    for (const { name, every, afterEntries } of config.anchors) {
      const everyMs = durationMs(every);
      const pollMs = Math.min(15_000, Math.max(1_000, everyMs));
      const input: AnchorInput = { anchor: name, everyMs, pollMs, ...(afterEntries === undefined ? {} : { afterEntries }) };
      await Context.current().client.workflow.signalWithStart("anchor", {
        workflowId: `anchor/${name}`,
        taskQueue: taskQueues.orchestrate,
        args: [input],
        signal: "anchor",
        signalArgs: [head?.size ?? 0],
        staticSummary: `anchor the log on ${name}`,
      });
    }
  },
});
