import { continueAsNew, defineSignal, proxyActivities, setCurrentDetails, setHandler, sleep, workflowInfo } from "@temporalio/workflow";
import type { AnchorActivities, TimestampInput } from "../activities/anchor/index.ts";
import { step } from "./activity-options.ts";
import { archiveHead } from "./archive-head.ts";

/** The log has grown: somebody would like its head to be time-stamped. */
export const timestampSignal = defineSignal("timestamp");

/** Has the log's published head time-stamped by an authority, at most as often as the policy asks. Ends when nothing is waiting. */
export async function timestamp(input: TimestampInput): Promise<{ size: number }> {
  const { authority, everyMs, archives = false } = input;
  const { stampCheckpoint } = proxyActivities<AnchorActivities>(step("chain", { patience: 24 * 60 * 60_000 }));
  let waiting = true;
  setHandler(timestampSignal, () => {
    waiting = true;
  });
  let size = 0;
  while (waiting) {
    waiting = false;
    const stamped = await stampCheckpoint.executeWithOptions({ summary: `a token of ${authority} for the log's head` }, [{ authority }]);
    if (stamped === null) continue;
    size = stamped.size;
    const existed = `size ${size} existed by ${stamped.time}, says ${authority}`;
    // What the configuration says now, and not when the run began: a chain may have been added since.
    setCurrentDetails((stamped.archives ?? archives) ? `${existed}; ${await archiveHead("archive the time-stamped head")}` : existed);
    await sleep(everyMs);
    if (waiting && workflowInfo().continueAsNewSuggested) await continueAsNew<typeof timestamp>(input);
  }
  return { size };
}
