import {
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from "@temporalio/workflow";
import type { AnchorActivities } from "../activities/anchor/index.ts";
import type { RetainActivities } from "../activities/retain/index.ts";
import { aliveWithin, longStep, step } from "./activity-options.ts";
import { failureOf, failWith, type KnownFailure } from "./failure-of.ts";
import { outcomeKey } from "./search-attributes.ts";

export interface RetentionInput {
  readonly databases: readonly string[];
  /** What this run had done before it continued under a new history. */
  readonly done?: RetentionResult;
}

export interface RetentionResult {
  readonly removed: readonly string[];
  readonly objectsDeleted: number;
}

/** Objects that one round deletes: their keys are in the history a few times. */
const objectsPerRound = 200;

/**
 * Keeps and deletes by policy. Snapshots that the plan lets go are removed and logged first, by database; then objects
 * that nothing refers to any longer, and that were found so at least the grace time ago, are logged and deleted. A
 * database whose policy cannot be applied keeps none of the others from theirs; the run then fails at its end.
 */
export async function retention({ databases, done }: RetentionInput): Promise<RetentionResult> {
  const { planRemoval, condemnUnreferenced, chooseDeletions } = proxyActivities<RetainActivities>(step("replicate"));
  const { removeSnapshots, discardStalePlans } = proxyActivities<RetainActivities>(longStep("replicate"));
  const { deleteObjects } = proxyActivities<RetainActivities>(longStep("replicate", { silence: aliveWithin }));
  const { logRemoval, logDeletion, requestAnchoring } = proxyActivities<AnchorActivities>(step("chain"));
  const removed: string[] = [...(done?.removed ?? [])];
  let objectsDeleted = done?.objectsDeleted ?? 0;
  const failed: (KnownFailure & { readonly database: string })[] = [];
  upsertSearchAttributes([{ key: outcomeKey, value: "running" }]);

  const applyPolicy = async (database: string): Promise<void> => {
    const { snapshots } = await planRemoval.executeWithOptions({ summary: `what the policy of ${database} lets go` }, [{ database }]);
    if (snapshots.length === 0) return;
    const { removals } = await removeSnapshots.executeWithOptions({ summary: `remove ${snapshots.length} snapshots of ${database}` }, [
      { snapshots },
    ]);
    await logRemoval({ database, removals });
    removed.push(...snapshots);
  };

  // A run that continued has these behind it.
  for (const database of done === undefined ? databases : []) {
    try {
      await applyPolicy(database);
    } catch (error) {
      if (isCancellation(error)) throw error;
      failed.push({ database, ...failureOf(error) });
    }
  }
  if (done === undefined) await condemnUnreferenced();
  for (;;) {
    const chosen = await chooseDeletions({ limit: objectsPerRound });
    if (chosen.keys.length === 0) break;
    await logDeletion({ keys: chosen.keys });
    await deleteObjects.executeWithOptions({ summary: `delete ${chosen.keys.length} objects that nothing refers to` }, [chosen]);
    objectsDeleted += chosen.keys.length;
    setCurrentDetails(`${objectsDeleted} objects deleted`);
    if (failed.length === 0 && workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof retention>({ databases, done: { removed, objectsDeleted } });
    }
  }
  await discardStalePlans();
  if (removed.length + objectsDeleted > 0) await requestAnchoring();
  const [first] = failed;
  upsertSearchAttributes([{ key: outcomeKey, value: first === undefined ? "done" : "failed" }]);
  setCurrentDetails(`${removed.length} snapshots removed, ${objectsDeleted} objects deleted`);
  if (first !== undefined) throw failWith(first.type, failed.map(({ database, message }) => `${database}: ${message}`).join("; "));
  return { removed, objectsDeleted };
}
