import { proxyActivities, setCurrentDetails } from "@temporalio/workflow";
import type { AnchorActivities } from "../activities/anchor/index.ts";
import type { RetainActivities } from "../activities/retain/index.ts";
import { longStep, step } from "./activity-options.ts";

export interface RetentionResult {
  readonly removed: readonly string[];
  readonly objectsDeleted: number;
}

/**
 * Keeps and deletes by policy. Snapshots that the plan lets go are removed and logged first, by database; then objects
 * that nothing refers to any longer, and that were found so at least the grace time ago, are logged and deleted.
 */
export async function retention({ databases }: { databases: readonly string[] }): Promise<RetentionResult> {
  const { removeExpired, condemnUnreferenced, chooseDeletions } = proxyActivities<RetainActivities>(step("replicate"));
  const { deleteObjects } = proxyActivities<RetainActivities>(longStep("replicate"));
  const { logRemoval, logDeletion, requestAnchoring } = proxyActivities<AnchorActivities>(step("chain"));
  const removed: string[] = [];
  for (const database of databases) {
    const executed = await removeExpired.executeWithOptions({ summary: `apply the policy to ${database}` }, [{ database }]);
    if (executed.removed.length > 0) await logRemoval({ database, snapshots: executed.removed });
    removed.push(...executed.removed);
  }
  await condemnUnreferenced();
  let objectsDeleted = 0;
  for (;;) {
    const chosen = await chooseDeletions({ limit: 200 });
    if (chosen.keys.length === 0) break;
    await logDeletion({ keys: chosen.keys });
    await deleteObjects.executeWithOptions({ summary: `delete ${chosen.keys.length} objects that nothing refers to` }, [chosen]);
    objectsDeleted += chosen.keys.length;
    setCurrentDetails(`${objectsDeleted} objects deleted`);
  }
  if (removed.length + objectsDeleted > 0) await requestAnchoring();
  return { removed, objectsDeleted };
}
