import { activityInfo, Context, heartbeat } from "@temporalio/activity";
import { engineOf } from "../../core/databases/engines.ts";
import type { HeldSnapshot } from "../../core/domain/run.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { keepAlive } from "../keep-alive.ts";

/** How often a hold that stands says so: the workflow learns of a dead worker a few of these later. */
const standsEveryMs = 2_000;

/** Opening one is a few questions, which a slow server takes its time to answer. */
const standstill = { afterMs: 10 * 60_000, type: "DatabaseUnreachable" } as const;

export const createHoldSnapshot = ({ site }: ActivityEnvironment) => ({
  /** Opens the consistent snapshot, tells the workflow its token, and keeps it open until cancelled. Fails with `HoldLost` when it is lost. */
  holdSnapshot: async ({ database, ticket }: { database: string; ticket: string }): Promise<void> => {
    const at = await site();
    const engine = await engineOf(at.database(database).engine);
    const url = await at.databaseUrl(database);
    const hold = await keepAlive({ ...standstill, what: `opening a snapshot of ${database}` }, (_, signal) => engine.hold(url, signal));
    const beat = setInterval(() => heartbeat({ holding: database }), standsEveryMs);
    try {
      const { workflowId, runId } = activityInfo().workflowExecution ?? {};
      if (workflowId === undefined || runId === undefined) throw new Error("a hold belongs to a workflow");
      const held: HeldSnapshot & { ticket: string } = {
        token: hold.token,
        consistency: hold.consistency,
        heldAt: new Date().toISOString(),
        ticket,
      };
      await Context.current().client.workflow.getHandle(workflowId, runId).signal("held", held);
      await Promise.race([hold.lost, Context.current().cancelled]);
    } finally {
      clearInterval(beat);
      await hold.close();
    }
  },
});
