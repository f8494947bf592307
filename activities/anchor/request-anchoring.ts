import { Context } from "@temporalio/activity";
import { durationMs } from "../../core/domain/duration.ts";
import { taskQueues } from "../../core/domain/run.ts";
import type { ActivityEnvironment } from "../environment.ts";

export interface AnchorInput {
  readonly anchor: string;
  /** Milliseconds between two anchorings. */
  readonly everyMs: number;
  /** Milliseconds between two looks at a transaction on its way to finality. */
  readonly pollMs: number;
}

export const createRequestAnchoring = ({ site }: ActivityEnvironment) => ({
  /** Tells the workflow of each anchor that the log has grown, and starts it if it does not run. */
  requestAnchoring: async (): Promise<void> => {
    const { config } = (await site()).loaded;
    for (const { name, every } of config.anchors) {
      const everyMs = durationMs(every);
      const input: AnchorInput = { anchor: name, everyMs, pollMs: Math.min(15_000, Math.max(1_000, everyMs)) };
      await Context.current().client.workflow.signalWithStart("anchor", {
        workflowId: `anchor/${name}`,
        taskQueue: taskQueues.orchestrate,
        args: [input],
        signal: "anchor",
        signalArgs: [],
        staticSummary: `anchor the log on ${name}`,
      });
    }
  },
});
