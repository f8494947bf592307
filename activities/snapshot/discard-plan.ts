import { cancellationSignal } from "@temporalio/activity";
import type { ActivityEnvironment } from "../environment.ts";
import { planPrefix } from "./plan-objects.ts";

export const createDiscardPlan = ({ site }: ActivityEnvironment) => ({
  /** Deletes what the run's activities passed to each other. What a run leaves that never got here, retention deletes. */
  discardPlan: async ({ landing, snapshot }: { landing: string; snapshot: string }): Promise<void> => {
    const store = await (await site()).store(landing);
    for await (const { key } of store.list(planPrefix(snapshot), cancellationSignal())) await store.delete(key, cancellationSignal());
  },
});
