import {
  continueAsNew,
  defineSignal,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from "@temporalio/workflow";
import type { AnchorActivities, AnchorInput } from "../activities/anchor/index.ts";
import type { ReplicateActivities } from "../activities/replicate/index.ts";
import { longStep, step } from "./activity-options.ts";
import { failureOf } from "./failure-of.ts";

/** The log has grown: somebody would like its head to be anchored. */
export const anchorSignal = defineSignal("anchor");

/**
 * Anchors the log's head, batching what comes while the last transaction is on its way to finality and for as long as
 * the policy asks. Ends when nothing is waiting; the next signal starts it again.
 */
export async function anchor({ anchor: name, everyMs, pollMs }: AnchorInput): Promise<{ size: number }> {
  const chain = proxyActivities<AnchorActivities>(step("chain", { patience: 24 * 60 * 60_000 }));
  const { followAnchor } = proxyActivities<AnchorActivities>(longStep("chain", { patience: 24 * 60 * 60_000 }));
  const { archiveCheckpoint } = proxyActivities<ReplicateActivities>(longStep("replicate"));
  let waiting = true;
  setHandler(anchorSignal, () => {
    waiting = true;
  });
  /** The anchor holds without it: a store that does not take the head now gets it with the next one. */
  const archiveHead = async (): Promise<string> => {
    try {
      const { stores } = await archiveCheckpoint.executeWithOptions({ summary: "archive the anchored head" }, []);
      return stores.length === 0 ? "no store archives it" : `archived in ${stores.join(", ")}`;
    } catch (error) {
      if (isCancellation(error)) throw error;
      const { type, message } = failureOf(error);
      return `not archived: **${type}**: ${message}`;
    }
  };
  let anchored = { size: 0 };
  while (waiting) {
    waiting = false;
    let submitted = await chain.submitCheckpoint.executeWithOptions({ summary: "submit the log's head to the registry" }, [
      { anchor: name },
    ]);
    if (submitted === null) continue;
    for (;;) {
      setCurrentDetails(`checkpoint of size ${submitted.size}: transaction \`${submitted.transaction}\` on its way to finality`);
      const status = await followAnchor({ anchor: name, pollMs, ...submitted });
      if (status === "finalized") break;
      // Submitting finds the transaction again.
      if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof anchor>({ anchor: name, everyMs, pollMs });
      if (status !== "dropped") continue;
      // A reorganization took the transaction's block away: submit again, whatever the head is by now.
      const again = await chain.submitCheckpoint.executeWithOptions({ summary: "submit again after a reorganization" }, [{ anchor: name }]);
      if (again === null) break; // this head, or a larger one, became final by another transaction
      submitted = again;
    }
    await chain.recordAnchored({ anchor: name, ...submitted });
    anchored = { size: submitted.size };
    setCurrentDetails(`anchored to size ${submitted.size}; ${await archiveHead()}`);
    await sleep(everyMs);
    if (waiting && workflowInfo().continueAsNewSuggested) await continueAsNew<typeof anchor>({ anchor: name, everyMs, pollMs });
  }
  return anchored;
}
