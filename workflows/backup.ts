import {
  CancellationScope,
  defineQuery,
  defineSignal,
  isCancellation,
  log,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from "@temporalio/workflow";
import type { AnchorActivities } from "../activities/anchor/index.ts";
import type { EncryptActivities } from "../activities/encrypt/index.ts";
import type { RunActivities, RunFacts } from "../activities/run/index.ts";
import type { SnapshotActivities } from "../activities/snapshot/index.ts";
import type { BackupInput, BackupProgress, BackupResult, ByteCounts } from "../core/domain/run.ts";
import { snapshotId } from "../core/domain/snapshot.ts";
import { longStep, step } from "./activity-options.ts";
import { captureUnderHold, type HeldSignal } from "./capture-under-hold.ts";
import { copyToStores } from "./copy-to-stores.ts";
import { failureOf } from "./failure-of.ts";
import { databaseKey, engineKey, outcomeKey, policyKey } from "./search-attributes.ts";

/** From the hold activity, once the consistent snapshot is open. */
export const heldSignal = defineSignal<[HeldSignal]>("held");
export const progressQuery = defineQuery<BackupProgress>("progress");

/** One snapshot of one database, from the consistent read to its entry in the log. */
export async function backup(input: BackupInput): Promise<BackupResult> {
  const { database, engine, policy } = input;
  const startedAt = workflowInfo().startTime;
  const snapshot = snapshotId(startedAt, uuid4());
  const { discardPlan } = proxyActivities<SnapshotActivities>(step("capture"));
  const { sealSnapshot, refreshRecoveryKit } = proxyActivities<EncryptActivities>(longStep("capture", { patience: policy.patience }));
  const runs = proxyActivities<RunActivities>(step("capture"));
  const ledger = proxyActivities<AnchorActivities>(step("chain"));

  const facts = { database, kind: "backup" as const };
  /** The event to reset to, so that everything done before this step stays done: the workflow task's completion. */
  const here = (): number => workflowInfo().historyLength + 1;

  let progress: BackupProgress = {
    ...{ snapshot, step: "inspecting", batchesDone: 0, batches: 0, estimatedBytes: 0, storesDone: [], resumeAt: here() },
  };
  const advance = (change: Partial<BackupProgress>): void => {
    progress = { ...progress, ...change };
    setCurrentDetails(describe(database, progress));
  };
  setHandler(progressQuery, () => progress);
  let held: HeldSignal | undefined;
  setHandler(heldSignal, (signal) => {
    held = signal;
  });
  upsertSearchAttributes([
    { key: databaseKey, value: database },
    { key: engineKey, value: engine },
    { key: policyKey, value: policy.name },
    { key: outcomeKey, value: "running" },
  ]);

  try {
    const [captured] = await Promise.all([captureUnderHold(input, snapshot, () => held, advance), runs.recordRunStarted(facts)]);

    advance({ step: "sealing", resumeAt: here() });
    const bytes = captured.batches.map((batch) => batch.bytes).reduce(addBytes, { read: 0, new: 0, stored: 0 });
    const sealed = await sealSnapshot.executeWithOptions({ summary: "build, encrypt and sign the manifest" }, [
      {
        database,
        policy,
        snapshot,
        startedAt: startedAt.toISOString(),
        capturedAt: captured.capturedAt,
        consistency: captured.consistency,
        serverVersion: captured.serverVersion,
        plan: captured.plan.key,
        batches: captured.batches.map(({ key }) => key),
        bytes,
      },
    ]);

    advance({ step: "replicating", resumeAt: here() });
    const [{ replicas, copies, domains, failed }] = await Promise.all([
      copyToStores(policy, snapshot, (store) => advance({ storesDone: [...progress.storesDone, store] })),
      refreshRecoveryKit({ database }),
    ]);
    const degraded = failed.length > 0;
    const recordReplicated = () => runs.recordReplicated({ snapshot, copies, domains, failed });
    // Told how it is replicated, the log need not wait until the catalog knows.
    const told = patched("log-is-told-of-replication") ? { replication: { copies, domains, failed: failed.length } } : undefined;
    if (told === undefined) await recordReplicated();

    advance({ step: "logging", resumeAt: here() });
    const logged = ledger.logSnapshot.executeWithOptions({ summary: "append to the log" }, [{ snapshot, signer: sealed.signer, ...told }]);
    const [{ index }] = await Promise.all(told === undefined ? [logged] : [logged, recordReplicated()]);
    const outcome = degraded ? "degraded" : "done";
    await Promise.all([
      discardPlan({ landing: policy.landing, snapshot }),
      runs.recordRunEnded({ ...facts, outcome, failed }),
      ledger.requestAnchoring(),
      runs.requestVerification({ snapshot }),
    ]);
    upsertSearchAttributes([{ key: outcomeKey, value: outcome }]);
    advance({ step: "done" });
    const seconds = (Date.now() - startedAt.getTime()) / 1_000;
    return { snapshot, database, state: "logged", degraded, rows: sealed.rows, bytes, seconds, replicas, logIndex: index };
  } catch (error) {
    // Recorded even when the run is cancelled, so that no night is missing from the record.
    await CancellationScope.nonCancellable(() => recordFailure(error, facts, progress));
    throw error;
  }
}

const recordFailure = async (
  error: unknown,
  facts: RunFacts & { readonly database: string },
  { snapshot, resumeAt }: BackupProgress,
): Promise<void> => {
  const failure = isCancellation(error) ? { type: "Cancelled" as const, message: "the run was cancelled" } : failureOf(error);
  upsertSearchAttributes([{ key: outcomeKey, value: failure.type === "Cancelled" ? "cancelled" : "failed" }]);
  const { workflowId, namespace } = workflowInfo();
  const reset = `temporal workflow reset --namespace ${namespace} --workflow-id ${workflowId} --event-id ${resumeAt} --reason "cause removed"`;
  setCurrentDetails(`**${failure.type}**: ${failure.message}\n\nOnce the cause is removed, go on from here: \`${reset}\``);
  const runs = proxyActivities<RunActivities>(step("capture"));
  const ledger = proxyActivities<AnchorActivities>(step("chain"));
  const recorded = await Promise.allSettled([
    runs.recordRunEnded({ ...facts, outcome: "failed", failed: [failure] }),
    ledger.logFailedRun({ database: facts.database, snapshot, failure: failure.type }),
  ]);
  for (const { reason } of recorded.filter((result) => result.status === "rejected")) {
    // The run fails for the first reason; that it could not be recorded is said beside it.
    log.error("the failed run could not be recorded", { ...failureOf(reason) });
  }
};

const addBytes = (a: ByteCounts, b: ByteCounts): ByteCounts => ({ read: a.read + b.read, new: a.new + b.new, stored: a.stored + b.stored });

const describe = (database: string, { step: at, batchesDone, batches, storesDone, snapshot }: BackupProgress): string => {
  const capturing = at === "capturing" ? ` (${batchesDone} of ${batches} batches)` : "";
  const replicating = at === "replicating" && storesDone.length > 0 ? ` (done: ${storesDone.join(", ")})` : "";
  return `**${database}**: ${at}${capturing}${replicating}\n\nsnapshot \`${snapshot}\``;
};
