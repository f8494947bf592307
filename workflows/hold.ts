import { proxyActivities } from "@temporalio/workflow";
import type { AnchorActivities } from "../activities/anchor/index.ts";
import type { RetainActivities } from "../activities/retain/index.ts";
import type { HoldChange } from "../core/domain/run.ts";
import { step } from "./activity-options.ts";

/** Places or lifts a legal hold, and logs it. */
export async function hold(change: HoldChange): Promise<void> {
  const { changeHold } = proxyActivities<RetainActivities>(step("replicate"));
  const { logHold, requestAnchoring } = proxyActivities<AnchorActivities>(step("chain"));
  const { database } = await changeHold(change);
  await logHold({ id: change.id, database, lifted: change.lifted });
  await requestAnchoring();
}
