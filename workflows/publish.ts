import {
  continueAsNew,
  defineSignal,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from "@temporalio/workflow";
import type { AnchorActivities } from "../activities/anchor/index.ts";
import type { ReplicateActivities } from "../activities/replicate/index.ts";
import { longStep, step } from "./activity-options.ts";
import { failureOf } from "./failure-of.ts";

/** The log has grown, or its evidence has. */
export const publishSignal = defineSignal("publish");

/**
 * Makes what was appended public: cosigned by witnesses where the configuration asks for it, then anchored by others, and copied to the
 * other stores. Ends when nothing is waiting; the next signal starts it again.
 */
export async function publish(): Promise<{ size: number }> {
  const { publishCheckpoint, requestAttestation } = proxyActivities<AnchorActivities>(step("chain", { patience: 24 * 60 * 60_000 }));
  const { copyLogTo } = proxyActivities<ReplicateActivities>(longStep("replicate"));
  let waiting = true;
  setHandler(publishSignal, () => {
    waiting = true;
  });
  /** A store that does not take it now gets it with the next entry. */
  const copyTo = async (store: string, publicKey: string): Promise<string> => {
    try {
      const { size } = await copyLogTo.executeWithOptions({ summary: `copy the log to ${store}` }, [{ store, publicKey }]);
      return `${store}: size ${size}`;
    } catch (error) {
      if (isCancellation(error)) throw error;
      const { type, message } = failureOf(error);
      return `${store}: not copied: **${type}**: ${message}`;
    }
  };
  let size = 0;
  while (waiting) {
    waiting = false;
    const head = await publishCheckpoint.executeWithOptions({ summary: "publish the log's head" }, []);
    size = head.size;
    const cosigned = head.witnesses.length === 0 ? "" : `, cosigned by ${head.witnesses.join(", ")}`;
    setCurrentDetails(`size ${size} is published${cosigned}`);
    if (head.attest) await requestAttestation();
    const copied = await Promise.all(head.stores.map((store) => copyTo(store, head.publicKey)));
    setCurrentDetails([`size ${size} is published${cosigned}`, ...copied.map((line) => `- ${line}`)].join("\n"));
    if (waiting && workflowInfo().continueAsNewSuggested) await continueAsNew<typeof publish>();
  }
  return { size };
}
