import { proxyActivities } from "@temporalio/workflow";
import type { AnchorActivities } from "../activities/anchor/index.ts";
import type { RetainActivities } from "../activities/retain/index.ts";
import type { HoldChange } from "../core/domain/run.ts";
import { step, untilLogged } from "./activity-options.ts";

/** Places or lifts a legal hold, and logs it, and what was marked to go and stays because of it. */
export async function hold(change: HoldChange): Promise<void> {
  const { changeHold } = proxyActivities<RetainActivities>(step("replicate"));
  const { logHold, logMarks, requestAnchoring } = proxyActivities<AnchorActivities>(step("chain", { patience: untilLogged }));
  const { database, kept = [] } = await changeHold(change);
  await logHold({ id: change.id, database, lifted: change.lifted, until: change.until ?? null });
  if (kept.length > 0 && database !== null) await logMarks({ database });
  await requestAnchoring();
}
