import {
  ContinueAsNew,
  condition,
  continueAsNew,
  defineSignal,
  isCancellation,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from "@temporalio/workflow";
import type { AnchorActivities, AnchorInput, Submitted } from "../activities/anchor/index.ts";
import { longStep, step } from "./activity-options.ts";
import { archiveHead } from "./archive-head.ts";
import { attributesOf } from "./search-attributes.ts";

/** The log has grown, to this size: somebody would like its head to be anchored. */
export const anchorSignal = defineSignal<[size?: number]>("anchor");

/**
 * Anchors the log's head, batching what comes while the last transaction is on its way to finality and for as long as
 * the policy asks, or until so many entries have come. Ends when nothing is waiting; the next signal starts it again.
 */
export async function anchor(input: AnchorInput): Promise<{ size: number }> {
  const found = patched("search-attributes");
  const say = (outcome: string): void => {
    if (found) upsertSearchAttributes(attributesOf(outcome));
  };
  say("running");
  try {
    const anchored = await anchorHeads(input, say);
    say("done");
    return anchored;
  } catch (error) {
    if (!(error instanceof ContinueAsNew)) say(isCancellation(error) ? "cancelled" : "failed");
    throw error;
  }
}

const anchorHeads = async (input: AnchorInput, say: (outcome: string) => void): Promise<{ size: number }> => {
  const { anchor: name, everyMs, pollMs, afterEntries } = input;
  const chain = proxyActivities<AnchorActivities>(step("chain", { patience: 24 * 60 * 60_000 }));
  const { followAnchor } = proxyActivities<AnchorActivities>(longStep("chain", { patience: 24 * 60 * 60_000 }));
  let waiting = true;
  let grownTo = 0;
  setHandler(anchorSignal, (size = 0) => {
    waiting = true;
    grownTo = Math.max(grownTo, size);
  });
  /** Waits for as long as the month's budget, the fees or another anchor's transaction are in the way, and says so. */
  const submit = async (summary: string): Promise<Submitted | null> => {
    let queued = false;
    for (;;) {
      const found = await chain.submitCheckpoint.executeWithOptions({ summary }, [{ anchor: name }]);
      if (found === null || !("queued" in found)) {
        if (queued) say("running");
        return found;
      }
      if (!queued) say("queued");
      queued = true;
      setCurrentDetails(`**queued**: ${found.queued}`);
      if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof anchor>(input);
      await sleep(Math.min(15 * 60_000, Math.max(pollMs, everyMs)));
    }
  };
  let anchored = { size: 0 };
  while (waiting) {
    waiting = false;
    let submitted = await submit("submit the log's head to the registry");
    if (submitted === null) continue;
    for (;;) {
      setCurrentDetails(`checkpoint of size ${submitted.size}: transaction \`${submitted.transaction}\` on its way to finality`);
      const status = await followAnchor({ anchor: name, pollMs, ...submitted });
      if (status === "finalized") break;
      // Submitting finds the transaction again.
      if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof anchor>(input);
      if (status === "mined") continue;
      // A reorganization took the transaction's block away: submit again, whatever the head is by now. Or no block takes it: offer more.
      const again = await submit(status === "dropped" ? "submit again after a reorganization" : "broadcast again, or offer more");
      if (again === null) break; // this head, or a larger one, became final by another transaction
      submitted = again;
    }
    await chain.recordAnchored({ anchor: name, ...submitted });
    anchored = { size: submitted.size };
    setCurrentDetails(`anchored to size ${submitted.size}; ${await archiveHead("archive the anchored head")}`);
    if (afterEntries === undefined) await sleep(everyMs);
    else await condition(() => grownTo - anchored.size >= afterEntries, everyMs);
    if (waiting && workflowInfo().continueAsNewSuggested) await continueAsNew<typeof anchor>(input);
  }
  return anchored;
};
