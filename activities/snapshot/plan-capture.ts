import { activityInfo, cancellationSignal } from "@temporalio/activity";
import type { Catalog } from "../../core/catalog/catalog.ts";
import { releaseRanges } from "../../core/catalog/release-ranges.ts";
import { engineOf } from "../../core/databases/engines.ts";
import { bytesToRead, type CapturePlan, captureGrain, groupParts } from "../../core/snapshot/capture-plan.ts";
import { type EarlierPart, earlierSelectors, findUnchanged } from "../../core/snapshot/takeover.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { keepAlive } from "../keep-alive.ts";
import { findTakeover } from "./find-takeover.ts";
import { planPrefix, putPlanObject } from "./plan-objects.ts";

/** Where the plan lies, and how many batches it has. */
export interface PlanRef {
  readonly key: string;
  readonly batches: number;
  readonly estimatedBytes: number;
}

export interface PlanInput {
  readonly database: string;
  readonly snapshot: string;
  readonly token: string;
  readonly landing: string;
  /** Read everything, whatever could be taken over. */
  readonly full: boolean;
  readonly fullReadEvery: number;
}

/** A run has at most about so many batches, whatever the database's size: each takes three events of the history. */
const mostBatches = 400;

/** Planning asks the database a few large questions, and says nothing in between. */
const standstill = { afterMs: 10 * 60_000, type: "DatabaseUnreachable" } as const;

export const createPlanCapture = ({ site }: ActivityEnvironment) => ({
  /** Splits the database, as seen under the token, into streams, parts and batches. */
  planCapture: async (input: PlanInput): Promise<PlanRef> => {
    const at = await site();
    const engine = await engineOf(at.database(input.database).engine);
    const url = await at.databaseUrl(input.database);
    const { partBytes } = captureGrain;
    const stall = { ...standstill, what: `the planning of ${input.database}` };
    const record = await findTakeover(at, input.database, input.landing, cancellationSignal());
    const earlier = earlierSelectors(record?.parts ?? []);
    const plan = await keepAlive(stall, (_, signal) => engine.plan(url, input.token, { partBytes, earlier }, signal));
    const full = input.full || record === undefined || record.sinceFull + 1 >= input.fullReadEvery;
    const looking = { ...standstill, what: `looking at what has changed in ${input.database}` };
    const unchanged = await keepAlive(looking, async (report, signal) =>
      findUnchanged(plan, record?.parts ?? [], async (parts) => {
        const told = (done: number): void => report({ current: "looking at what has changed", done, of: parts.length });
        return (await engine.unchanged?.(url, input.token, parts, told, signal)) ?? [];
      }),
    );
    const { expected, takenOver } = sortUnchanged(unchanged, ({ range }) => full || record?.again.has(range) === true);
    await releaseUnmatched(await at.catalog(), record?.parts ?? [], Object.values(takenOver));
    const estimatedBytes = bytesToRead(plan, takenOver);
    const batches = groupParts(plan, Math.max(captureGrain.batchBytes, estimatedBytes / mostBatches), { takenOver, expected });
    const capture: CapturePlan = {
      plan,
      batches,
      takenOver,
      expected,
      earlierSnapshot: record?.snapshot ?? null,
      sinceFull: full ? 0 : (record?.sinceFull ?? 0) + 1,
    };
    const key = `${planPrefix(input.snapshot)}plan-${activityInfo().activityId}-${activityInfo().attempt}`;
    const { indexKey } = await at.repositoryKeys();
    await putPlanObject(await at.store(input.landing), indexKey, key, capture, cancellationSignal());
    return { key, batches: batches.length, estimatedBytes };
  },
});

/** What is read although the server calls it unchanged: reading must give the same. And the rest, which is taken over. */
const sortUnchanged = (
  unchanged: Readonly<Record<string, EarlierPart>>,
  again: (part: EarlierPart) => boolean,
): Pick<CapturePlan, "expected" | "takenOver"> => {
  const those = (read: boolean) => Object.fromEntries(Object.entries(unchanged).filter(([, part]) => again(part) === read));
  return { expected: those(true), takenOver: those(false) };
};

/** Ranges that are not taken over, as those of a table that was dropped, are protected by their own snapshot alone. */
const releaseUnmatched = async (catalog: Catalog, claimed: readonly EarlierPart[], takenOver: readonly EarlierPart[]): Promise<void> => {
  const wanted = new Set(takenOver.map(({ range }) => range));
  const unmatched = claimed.map(({ range }) => range).filter((range) => !wanted.has(range));
  if (unmatched.length > 0) await releaseRanges(catalog, unmatched);
};
