import { continueAsNew, defineSignal, proxyActivities, setCurrentDetails, setHandler, sleep, workflowInfo } from "@temporalio/workflow";
import type { AnchorActivities, AnchorInput } from "../activities/anchor/index.ts";
import { step } from "./activity-options.ts";

/** The log has grown: somebody would like its head to be anchored. */
export const anchorSignal = defineSignal("anchor");

/**
 * Anchors the log's head, batching what comes while the last transaction is on its way to finality and for as long as
 * the policy asks. Ends when nothing is waiting; the next signal starts it again.
 */
export async function anchor({ anchor: name, everyMs, pollMs }: AnchorInput): Promise<{ size: number }> {
  const chain = proxyActivities<AnchorActivities>(step("chain", { patience: 24 * 60 * 60_000 }));
  let waiting = true;
  setHandler(anchorSignal, () => {
    waiting = true;
  });
  let anchored = { size: 0 };
  while (waiting) {
    waiting = false;
    let submitted = await chain.submitCheckpoint.executeWithOptions({ summary: "submit the log's head to the registry" }, [
      { anchor: name },
    ]);
    if (submitted === null) continue;
    for (;;) {
      setCurrentDetails(`checkpoint of size ${submitted.size}: transaction \`${submitted.transaction}\` on its way to finality`);
      const { status } = await chain.followAnchor({ anchor: name, ...submitted });
      if (status === "finalized") break;
      if (status === "dropped") {
        // A reorganization took the transaction's block away: submit again, whatever the head is by now.
        submitted = (await chain.submitCheckpoint({ anchor: name })) ?? submitted;
      }
      await sleep(pollMs);
    }
    await chain.recordAnchored({ anchor: name, ...submitted });
    anchored = { size: submitted.size };
    setCurrentDetails(`anchored to size ${submitted.size}`);
    await sleep(everyMs);
    if (waiting && workflowInfo().continueAsNewSuggested) await continueAsNew<typeof anchor>({ anchor: name, everyMs, pollMs });
  }
  return anchored;
}
