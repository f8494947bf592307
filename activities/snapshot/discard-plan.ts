import { cancellationSignal } from "@temporalio/activity";
import { eachLimited } from "../../core/domain/each-limited.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { planPrefix } from "./plan-objects.ts";

const deletedAtOnce = 8;

export const createDiscardPlan = ({ site }: ActivityEnvironment) => ({
  /** Deletes what the run's activities passed to each other. What a run leaves that never got here, retention deletes. */
  discardPlan: async ({ landing, snapshot }: { landing: string; snapshot: string }): Promise<void> => {
    const store = await (await site()).store(landing);
    const signal = cancellationSignal();
    const keys: string[] = [];
    for await (const { key } of store.list(planPrefix(snapshot), signal)) keys.push(key);
    await eachLimited(keys, deletedAtOnce, (key) => store.delete(key, signal));
  },
});
