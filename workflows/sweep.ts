import { proxyActivities, setCurrentDetails, upsertSearchAttributes } from "@temporalio/workflow";
import type { AnchorActivities } from "../activities/anchor/index.ts";
import type { ComplyActivities, SweepTotals } from "../activities/comply/index.ts";
import { longStep, step } from "./activity-options.ts";
import { outcomeKey } from "./search-attributes.ts";

/** Judges the databases and dbgov's own record, keeps the report, and puts its hash into the log. */
export async function sweep(): Promise<SweepTotals> {
  const { sweepControls } = proxyActivities<ComplyActivities>(longStep("capture"));
  const { logSweep, requestAnchoring } = proxyActivities<AnchorActivities>(step("chain"));
  const totals = await sweepControls();
  await logSweep(totals);
  await requestAnchoring();
  setCurrentDetails(
    `${totals.pass} pass, ${totals.fail} fail, ${totals.notApplicable} not applicable, ${totals.inconclusive} inconclusive`,
  );
  upsertSearchAttributes([{ key: outcomeKey, value: totals.fail > 0 ? "findings" : "done" }]);
  return totals;
}
