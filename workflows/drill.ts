import { CancellationScope, isCancellation, proxyActivities, setCurrentDetails, upsertSearchAttributes } from "@temporalio/workflow";
import type { AnchorActivities } from "../activities/anchor/index.ts";
import type { RestoreActivities } from "../activities/restore/index.ts";
import type { RunActivities } from "../activities/run/index.ts";
import type { DrillInput, DrillResult } from "../core/domain/run.ts";
import { aliveWithin, longStep, step } from "./activity-options.ts";
import { failureOf, failWith } from "./failure-of.ts";
import { databaseKey, engineKey, outcomeKey } from "./search-attributes.ts";

/** Restores the newest snapshot into a scratch database, compares, measures, and always drops the scratch. */
export async function drill(input: DrillInput): Promise<DrillResult> {
  const { database } = input;
  const restore = proxyActivities<RestoreActivities>(longStep("restore", { silence: aliveWithin }));
  const { chooseDrill, dropScratch, recordDrill } = proxyActivities<RestoreActivities>(step("restore", { patience: 60 * 60_000 }));
  const runs = proxyActivities<RunActivities>(step("capture"));
  const ledger = proxyActivities<AnchorActivities>(step("chain"));
  upsertSearchAttributes([
    { key: databaseKey, value: database },
    { key: engineKey, value: input.engine },
    { key: outcomeKey, value: "running" },
  ]);
  const facts = { database, kind: "drill" as const };
  const finish = (outcome: "done" | "failed", failed: readonly { type: string; message: string }[]): Promise<void> => {
    upsertSearchAttributes([{ key: outcomeKey, value: outcome }]);
    return runs.recordRunEnded({ ...facts, outcome, failed });
  };

  await runs.recordRunStarted(facts);
  try {
    const chosen = await chooseDrill(input);
    let result: DrillResult;
    try {
      setCurrentDetails(`restoring \`${chosen.snapshot}\` into \`${chosen.scratch}\``);
      result = await restore.drillSnapshot.executeWithOptions({ summary: `restore ${chosen.snapshot} and compare` }, [chosen]);
    } finally {
      await CancellationScope.nonCancellable(() => dropScratch(chosen));
    }
    const drilled = { ...result, at: new Date().toISOString() };
    await recordDrill(drilled);
    await ledger.logDrill(drilled);
    await ledger.requestAnchoring();
    if (!result.identical) {
      throw failWith("ContentDiffers", `the copy restored from ${result.snapshot} differs: ${result.differences.slice(0, 5).join("; ")}`);
    }
    await finish("done", []);
    setCurrentDetails(`\`${chosen.snapshot}\` restored in ${result.seconds.toFixed(1)} s, identical`);
    return result;
  } catch (error) {
    const failure = isCancellation(error) ? { type: "Cancelled", message: "the drill was cancelled" } : failureOf(error);
    await CancellationScope.nonCancellable(() => finish("failed", [failure]));
    throw error;
  }
}
