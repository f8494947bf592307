import { CancellationScope, condition, isCancellation, proxyActivities, uuid4 } from "@temporalio/workflow";
import type { BatchRef, PlanRef, SnapshotActivities } from "../activities/snapshot/index.ts";
import type { FailureType } from "../core/domain/failure.ts";
import { holdQueue } from "../core/domain/hold-queue.ts";
import type { BackupInput, BackupProgress, HeldSnapshot } from "../core/domain/run.ts";
import type { Consistency } from "../core/domain/snapshot.ts";
import { aliveWithin, longStep, step } from "./activity-options.ts";
import { failureOf, failWith } from "./failure-of.ts";

export interface Captured {
  readonly plan: PlanRef;
  readonly batches: readonly BatchRef[];
  readonly consistency: Consistency;
  readonly capturedAt: string;
  readonly serverVersion: string;
}

/** What the hold activity tells, and for which of the workflow's attempts to hold: a reset delivers the signals of the attempts before it once more. */
export type HeldSignal = HeldSnapshot & { readonly ticket: string };

/** A held snapshot is lost with its connection or its worker; then everything is read again under a new one. */
const mostHolds = 3;
const lostOnTheWay: readonly FailureType[] = ["HoldLost", "WorkerMissing", "DatabaseUnreachable"];

/** Holds a consistent snapshot of the database for as long as its parts are captured, in parallel, on any worker. */
export const captureUnderHold = async (
  { database, policy, full = false }: BackupInput,
  snapshot: string,
  held: () => HeldSignal | undefined,
  advance: (change: Partial<BackupProgress>) => void,
): Promise<Captured> => {
  const reading = proxyActivities<SnapshotActivities>(longStep("capture", { patience: policy.patience, silence: aliveWithin }));
  const { inspectDatabase } = proxyActivities<SnapshotActivities>(step("capture", { patience: policy.patience }));
  const holding = proxyActivities<SnapshotActivities>({
    ...longStep("capture", { silence: aliveWithin }),
    taskQueue: holdQueue,
    retry: { maximumAttempts: 1 },
  });

  const capture = async ({ token, consistency, heldAt }: HeldSnapshot, version: string): Promise<Captured> => {
    advance({ step: "planning" });
    const plan = await reading.planCapture.executeWithOptions({ summary: `split ${database} into parts` }, [
      { database, snapshot, token, landing: policy.landing, full, fullReadEvery: policy.fullReadEvery },
    ]);
    advance({ step: "capturing", batches: plan.batches, batchesDone: 0, estimatedBytes: plan.estimatedBytes });
    let batchesDone = 0;
    const batches = await Promise.all(
      Array.from({ length: plan.batches }, async (_, batch) => {
        const captured = await reading.captureBatch.executeWithOptions({ summary: `batch ${batch + 1} of ${plan.batches}` }, [
          { database, snapshot, token, landing: policy.landing, plan: plan.key, batch },
        ]);
        batchesDone += 1;
        advance({ batchesDone });
        return captured;
      }),
    );
    return { plan, batches, consistency, capturedAt: heldAt, serverVersion: version };
  };

  for (let attempt = 1; ; attempt += 1) {
    advance({ step: "inspecting" });
    // Refuses what cannot be captured well; after a lost hold, also waits until the database answers again.
    const { version } = await inspectDatabase.executeWithOptions({ summary: `look at ${database}` }, [{ database }]);
    advance({ step: "holding" });
    const scope = new CancellationScope();
    const ticket = uuid4();
    try {
      return await scope.run(async () => {
        const hold = holding.holdSnapshot.executeWithOptions({ summary: `hold a snapshot of ${database}` }, [{ database, ticket }]);
        const lost = hold.then(() => {
          throw failWith("HoldLost", `the held snapshot of ${database} ended before the capture did`);
        });
        await Promise.race([lost, condition(() => held()?.ticket === ticket)]);
        return await Promise.race([lost, capture(held() as HeldSignal, version)]);
      });
    } catch (error) {
      const { type } = failureOf(error);
      const again = lostOnTheWay.includes(type) && attempt < mostHolds;
      if (!again || isCancellation(error)) throw error;
    } finally {
      // Ends the hold, and whatever still reads under it.
      scope.cancel();
    }
  }
};
