import { isCancellation, patched, proxyActivities, upsertSearchAttributes } from "@temporalio/workflow";
import type { AnchorActivities } from "../activities/anchor/index.ts";
import type { RetainActivities } from "../activities/retain/index.ts";
import type { HoldChange } from "../core/domain/run.ts";
import { step, untilLogged } from "./activity-options.ts";
import { attributesOf } from "./search-attributes.ts";

/** Places or lifts a legal hold, and logs it, and what was marked to go and stays because of it. */
export async function hold(change: HoldChange): Promise<void> {
  const { changeHold } = proxyActivities<RetainActivities>(step("replicate"));
  const { logHold, logMarks, requestAnchoring } = proxyActivities<AnchorActivities>(step("chain", { patience: untilLogged }));
  const found = patched("search-attributes");
  const say = (outcome: string, database = change.database): void => {
    if (found) upsertSearchAttributes(attributesOf(outcome, { database: database ?? undefined }));
  };
  say("running");
  try {
    const { database, kept = [] } = await changeHold(change);
    await logHold({ id: change.id, database, lifted: change.lifted, until: change.until ?? null });
    if (kept.length > 0 && database !== null) await logMarks({ database });
    await requestAnchoring();
    say("done", database);
  } catch (error) {
    say(isCancellation(error) ? "cancelled" : "failed");
    throw error;
  }
}
