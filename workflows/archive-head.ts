import { isCancellation, proxyActivities } from "@temporalio/workflow";
import type { ReplicateActivities } from "../activities/replicate/index.ts";
import { longStep } from "./activity-options.ts";
import { failureOf } from "./failure-of.ts";

/** Archives the log's head where a policy asks for it, and says what came of it. The evidence holds without: a store that does not take it now gets it with the next one. */
export const archiveHead = async (summary: string): Promise<string> => {
  const { archiveCheckpoint } = proxyActivities<ReplicateActivities>(longStep("replicate"));
  try {
    const { stores } = await archiveCheckpoint.executeWithOptions({ summary }, []);
    return stores.length === 0 ? "no store archives it" : `archived in ${stores.join(", ")}`;
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { type, message } = failureOf(error);
    return `not archived: **${type}**: ${message}`;
  }
};
