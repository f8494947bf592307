import { isCancellation, proxyActivities, setCurrentDetails, upsertSearchAttributes } from "@temporalio/workflow";
import type { AnchorActivities } from "../activities/anchor/index.ts";
import type { ComplyActivities, SweepTotals } from "../activities/comply/index.ts";
import type { ReplicateActivities } from "../activities/replicate/index.ts";
import { longStep, step } from "./activity-options.ts";
import { failureOf } from "./failure-of.ts";
import { outcomeKey } from "./search-attributes.ts";

/** Judges the databases and dbgov's own record, keeps the report, and puts its hash into the log; archives it where a policy asks for that. */
export async function sweep(): Promise<SweepTotals> {
  const { sweepControls } = proxyActivities<ComplyActivities>(longStep("capture"));
  const { logSweep, requestAnchoring } = proxyActivities<AnchorActivities>(step("chain"));
  const { archiveReport } = proxyActivities<ReplicateActivities>(longStep("replicate"));
  /** The report is kept and logged without it: a store that does not take it now gets it with the next one. */
  const archive = async (sealed: string): Promise<string> => {
    try {
      const { stores } = await archiveReport.executeWithOptions({ summary: "archive the sealed report" }, [{ sealed }]);
      return `archived in ${stores.join(", ")}`;
    } catch (error) {
      if (isCancellation(error)) throw error;
      const { type, message } = failureOf(error);
      return `not archived: **${type}**: ${message}`;
    }
  };
  const totals = await sweepControls();
  await logSweep(totals);
  await requestAnchoring();
  const counts = `${totals.pass} pass, ${totals.fail} fail, ${totals.notApplicable} not applicable, ${totals.inconclusive} inconclusive`;
  setCurrentDetails(counts);
  if (totals.sealed !== undefined) setCurrentDetails(`${counts}; ${await archive(totals.sealed)}`);
  upsertSearchAttributes([{ key: outcomeKey, value: totals.fail > 0 ? "findings" : "done" }]);
  return totals;
}
