import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import { executeChild, setCurrentDetails } from "@temporalio/workflow";
import type { ScheduledRun } from "../core/domain/run.ts";

/**
 * Runs a workflow under its plain id. Temporal adds the time to the ids that schedules start, so that two of them could
 * run at once; under the plain id there is one, and it is where operators look for it, and reset it.
 */
export async function onSchedule({ type, id, args }: ScheduledRun): Promise<unknown> {
  try {
    return await executeChild(type, { workflowId: id, args: [...args] });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    setCurrentDetails(`\`${id}\` was running already; nothing was started`);
    return { skipped: true };
  }
}
