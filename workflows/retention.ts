import {
  continueAsNew,
  isCancellation,
  patched,
  proxyActivities,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from "@temporalio/workflow";
import type { AnchorActivities } from "../activities/anchor/index.ts";
import type { EncryptActivities } from "../activities/encrypt/index.ts";
import type { RetainActivities } from "../activities/retain/index.ts";
import type { SnapshotActivities } from "../activities/snapshot/index.ts";
import type { SparseSummary } from "../core/domain/retention-sparse.ts";
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
  /** Stores that are no longer configured and still have objects that were to be deleted, and how many. Absent: none. */
  readonly outOfReach?: readonly { readonly store: string; readonly objects: number }[];
  /** Stores that do not let objects go yet, and until when as far as they say it. Absent: none. */
  readonly retained?: readonly { readonly store: string; readonly objects: number; readonly until: string | null }[];
  /** Databases whose newest snapshots look wrong, so that nothing of them went. Absent: none. */
  readonly alarms?: readonly { readonly database: string; readonly message: string }[];
  /** Databases whose configuration keeps less than what is in force: it waits for two persons. Absent: none. */
  readonly waiting?: readonly { readonly database: string; readonly changes: readonly string[] }[];
  /** Why objects could not be locked, held or moved to another tier. Absent: all were. */
  readonly unprotected?: readonly { readonly database: string; readonly message: string }[];
  /** Packs of which little is needed, by what becomes of them. */
  readonly sparse: readonly SparseSummary[];
}

/** A run that has deleted what it had to waits no longer for a worker that captures: the next run must not be kept from beginning. */
const forCaptureMs = 60 * 60_000;

/** Objects that one round deletes: their keys are in the history a few times. */
const objectsPerRound = 200;

/**
 * Keeps and deletes by policy. Snapshots that the plan lets go are marked, and those whose grace time is over are removed and
 * logged, by database; then objects that nothing refers to any longer, and that were found so at least the grace time ago, are
 * logged and deleted; then packs of which little is needed are retired. A database whose policy cannot be applied keeps none of the others from theirs; the run then fails at its end.
 */
export async function retention({ databases, done }: RetentionInput): Promise<RetentionResult> {
  const { endHolds, planRemoval, condemnUnreferenced, chooseDeletions, lookForUnreachable } = proxyActivities<RetainActivities>(
    step("replicate"),
  );
  const { removeSnapshots, discardStalePlans } = proxyActivities<RetainActivities>(longStep("replicate"));
  const { deleteObjects, protectObjects } = proxyActivities<RetainActivities>(longStep("replicate", { silence: aliveWithin }));
  const { retireSparsePacks } = proxyActivities<RetainActivities>(longStep("replicate"));
  const { readReferences } = proxyActivities<SnapshotActivities>({ ...longStep("capture"), scheduleToStartTimeout: forCaptureMs });
  const { refreshRecoveryKit } = proxyActivities<EncryptActivities>(longStep("capture"));
  const { logAlarm, logDeletion, logHold, logMarks, logRemoval, requestAnchoring } = proxyActivities<AnchorActivities>(step("chain"));
  const removed: string[] = [...(done?.removed ?? [])];
  let objectsDeleted = done?.objectsDeleted ?? 0;
  const alarms = [...(done?.alarms ?? [])];
  const waiting = [...(done?.waiting ?? [])];
  const unprotected = [...(done?.unprotected ?? [])];
  let marked = 0;
  const failed: (KnownFailure & { readonly database: string })[] = [];
  upsertSearchAttributes([{ key: outcomeKey, value: "running" }]);

  const applyPolicy = async (database: string): Promise<void> => {
    const planned = await planRemoval.executeWithOptions({ summary: `what the policy of ${database} lets go` }, [{ database }]);
    const { snapshots, requested = [], untold = [], alarm } = planned;
    if (alarm !== undefined) {
      alarms.push({ database, message: alarm.message });
      await logAlarm({ database, alarm: alarm.kind });
    }
    if (planned.waiting !== undefined) waiting.push({ database, changes: planned.waiting });
    if (marking) marked += (await logMarks({ database })).logged;
    if (snapshots.length === 0) return;
    const { removals } = await removeSnapshots.executeWithOptions({ summary: `remove ${snapshots.length} snapshots of ${database}` }, [
      { snapshots, requested, untold },
    ]);
    await logRemoval({ database, removals });
    removed.push(...snapshots);
  };

  // Runs from before there were two phases do not have these steps in their histories.
  const marking = patched("two-phases");
  if (marking && done === undefined) {
    for (const { id, database } of (await endHolds()).ended) await logHold({ id, database, lifted: true });
  }
  // A run that continued has these behind it.
  for (const database of done === undefined ? databases : []) {
    try {
      await applyPolicy(database);
    } catch (error) {
      if (isCancellation(error)) throw error;
      failed.push({ database, ...failureOf(error) });
    }
  }
  const refreshKit = async (): Promise<void> => {
    try {
      // Envelopes that are destroyed in the catalog and stay in the kit are not destroyed.
      await refreshRecoveryKit();
    } catch (error) {
      if (isCancellation(error)) throw error;
      failed.push({ database: "recovery kit", ...failureOf(error) });
    }
  };
  // Before anything that a store can fail: the next run may have nothing to remove, and would leave the kit as it is.
  const kitFirst = patched("kit-before-stores");
  if (kitFirst && removed.length > 0) await refreshKit();
  if (marking && done === undefined) {
    for (const database of databases) {
      try {
        const { problems } = await protectObjects.executeWithOptions({ summary: `locks, holds and tiers of ${database}` }, [{ database }]);
        for (const message of problems) unprotected.push({ database, message });
      } catch (error) {
        if (isCancellation(error)) throw error;
        // A store that does not open keeps no envelopes of what was removed from being deleted elsewhere.
        failed.push({ database, ...failureOf(error) });
      }
    }
  }
  if (done === undefined) await condemnUnreferenced();
  for (;;) {
    const chosen = await chooseDeletions({ limit: objectsPerRound });
    if (chosen.keys.length === 0) break;
    await logDeletion({ keys: chosen.keys, copies: chosen.copies });
    await deleteObjects.executeWithOptions({ summary: `delete ${chosen.keys.length} objects that nothing refers to` }, [chosen]);
    objectsDeleted += chosen.keys.length;
    setCurrentDetails(`${objectsDeleted} objects deleted`);
    if (failed.length === 0 && workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof retention>({ databases, done: { removed, objectsDeleted, sparse: [], alarms, waiting, unprotected } });
    }
  }
  await discardStalePlans();
  // Runs from before these steps were there do not have them in their histories.
  const thorough = patched("kit-and-stores-out-of-reach");
  if (thorough && !kitFirst && removed.length > 0) await refreshKit();
  const { stores, retained = [] } = thorough ? await lookForUnreachable() : { stores: [] };
  const findSparse = async (): Promise<readonly SparseSummary[]> => {
    try {
      await readReferences.executeWithOptions({ summary: "read what new ranges refer to" }, []);
      return (await retireSparsePacks.executeWithOptions({ summary: "retire packs of which little is needed" }, [])).sparse;
    } catch (error) {
      if (isCancellation(error)) throw error;
      failed.push({ database: "sparse packs", ...failureOf(error) });
      return [];
    }
  };
  if (removed.length + objectsDeleted + marked > 0) await requestAnchoring();
  // Last, since it may wait for a worker that captures.
  const sparse = patched("sparse-packs") ? await findSparse() : [];
  const [first] = failed;
  const degraded = stores.length + alarms.length + unprotected.length > 0;
  upsertSearchAttributes([{ key: outcomeKey, value: first !== undefined ? "failed" : degraded ? "degraded" : "done" }]);
  setCurrentDetails(
    [
      `${removed.length} snapshots removed, ${objectsDeleted} objects deleted`,
      ...alarms.map(({ database, message }) => `**nothing of ${database} goes**: ${message}`),
      ...waiting.map(
        ({ database, changes }) => `${database} is to be kept for less, and that waits for two persons: ${changes.join(", ")}`,
      ),
      ...unprotected.map(({ database, message }) => `not all of ${database} is locked, held or in its tier: ${message}`),
      ...retained.map(
        ({ store, objects, until }) => `${store} keeps ${objects} objects for now${until === null ? "" : `, until ${until}`}`,
      ),
      ...sparse
        .filter(({ verdict }) => verdict === "rewrite")
        .map(
          ({ packs, deadBytes }) =>
            `${packs} packs are retired, of which nobody needs ${deadBytes} bytes: the next snapshots write the rest anew`,
        ),
      ...stores.map(({ store, objects }) => `${objects} cannot be deleted from ${store}, which is not configured any more`),
    ].join("\n\n"),
  );
  if (first !== undefined) throw failWith(first.type, failed.map(({ database, message }) => `${database}: ${message}`).join("; "));
  return {
    ...{ removed, objectsDeleted, sparse },
    ...(stores.length > 0 ? { outOfReach: stores } : {}),
    ...(retained.length > 0 ? { retained } : {}),
    ...(alarms.length > 0 ? { alarms } : {}),
    ...(waiting.length > 0 ? { waiting } : {}),
    ...(unprotected.length > 0 ? { unprotected } : {}),
  };
}
