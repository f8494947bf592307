import { proxyActivities } from "@temporalio/workflow";
import type { AnchorActivities } from "../activities/anchor/index.ts";
import { step } from "./activity-options.ts";

/** Logs that another configuration is in force, and with it which keys were exchanged. */
export async function configuration({ hash }: { hash: string }): Promise<{ changed: boolean }> {
  const { logConfiguration, requestAnchoring } = proxyActivities<AnchorActivities>(step("chain"));
  const { changed } = await logConfiguration({ hash });
  if (changed) await requestAnchoring();
  return { changed };
}
