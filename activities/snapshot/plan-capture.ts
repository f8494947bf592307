import { activityInfo, cancellationSignal } from "@temporalio/activity";
import { engineOf } from "../../core/databases/engines.ts";
import { captureGrain, groupParts } from "../../core/snapshot/capture-plan.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { keepAlive } from "../keep-alive.ts";
import { planPrefix, putPlanObject } from "./plan-objects.ts";

/** Where the plan lies, and how many batches it has. */
export interface PlanRef {
  readonly key: string;
  readonly batches: number;
  readonly estimatedBytes: number;
}

/** A run has at most about so many batches, whatever the database's size: each takes three events of the history. */
const mostBatches = 400;

/** Planning asks the database's catalog a few large questions, and says nothing in between. */
const standstill = { afterMs: 10 * 60_000, type: "DatabaseUnreachable" } as const;

export const createPlanCapture = ({ site }: ActivityEnvironment) => ({
  /** Splits the database, as seen under the token, into streams, parts and batches. */
  planCapture: async (input: { database: string; snapshot: string; token: string; landing: string }): Promise<PlanRef> => {
    const at = await site();
    const engine = await engineOf(at.database(input.database).engine);
    const url = await at.databaseUrl(input.database);
    const { partBytes } = captureGrain;
    const stall = { ...standstill, what: `the planning of ${input.database}` };
    const plan = await keepAlive(stall, (_, signal) => engine.plan(url, input.token, { partBytes }, signal));
    const sizes = plan.streams.flatMap(({ parts }) => parts.map(({ estimatedBytes }) => estimatedBytes));
    const estimatedBytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
    const grouped = groupParts(plan, Math.max(captureGrain.batchBytes, estimatedBytes / mostBatches));
    const key = `${planPrefix(input.snapshot)}plan-${activityInfo().activityId}-${activityInfo().attempt}`;
    const { indexKey } = await at.repositoryKeys();
    await putPlanObject(await at.store(input.landing), indexKey, key, grouped, cancellationSignal());
    return { key, batches: grouped.batches.length, estimatedBytes };
  },
});
