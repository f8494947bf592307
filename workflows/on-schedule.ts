import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import { executeChild, isCancellation, setCurrentDetails, upsertSearchAttributes } from "@temporalio/workflow";
import type { ScheduledRun } from "../core/domain/run.ts";
import { attributesOf } from "./search-attributes.ts";

/**
 * Runs a workflow under its plain id. Temporal adds the time to the ids that schedules start, so that two of them could
 * run at once; under the plain id there is one, and it is where operators look for it, and reset it.
 */
export async function onSchedule({ type, id, args, about }: ScheduledRun): Promise<unknown> {
  const say = (outcome: string): void => {
    if (about !== undefined) upsertSearchAttributes(attributesOf(outcome, about));
  };
  say("running");
  try {
    const result = await executeChild(type, { workflowId: id, args: [...args] });
    say("done");
    return result;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) {
      say(isCancellation(error) ? "cancelled" : "failed");
      throw error;
    }
    say("skipped");
    setCurrentDetails(`\`${id}\` was running already; nothing was started`);
    return { skipped: true };
  }
}
