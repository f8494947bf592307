import type { Client } from "@temporalio/client";
import { Failure, isFailure } from "../core/domain/failure.ts";
import type { HoldChange } from "../core/domain/run.ts";
import type { hold } from "../workflows/hold.ts";
import { awaitResult, requireWorkers, startOrJoin } from "./run-workflow.ts";

/** Places or lifts a hold, and waits until it is so and logged. */
export const changeHold = async (client: Client, wanted: HoldChange): Promise<void> => {
  await requireWorkers(client, ["orchestrate", "replicate", "chain"]);
  const verb = wanted.lifted ? "lift" : "place";
  const { handle } = await startOrJoin<typeof hold>(client, "hold", `hold/${wanted.id}/${verb}`, [wanted], `${verb} hold ${wanted.id}`);
  await awaitResult(handle, async () => {}).catch((error: unknown) => {
    if (!isFailure(error, "NameUnknown")) throw error;
    throw new Failure("NameUnknown", `${error.message}; dbgov hold list shows those that stand`, { cause: error.cause });
  });
};
