import { activityInfo, cancellationSignal } from "@temporalio/activity";
import { liveSnapshots } from "../../core/catalog/live-snapshots.ts";
import { withdrawState } from "../../core/catalog/withdraw-state.ts";
import { quotaOfStore } from "../../core/config/allowances.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import type { ByteCounts } from "../../core/domain/run.ts";
import type { Site } from "../../core/site/site.ts";
import type { CaptureCheckpoint, CapturedPart } from "../../core/snapshot/capture-batch.ts";
import { partsToCapture } from "../../core/snapshot/capture-plan.ts";
import { type TakeoverRecord, takeoverKey } from "../../core/snapshot/takeover.ts";
import { type ActivityEnvironment, runJob } from "../environment.ts";
import { getPlan, getPlanObject, planPrefix, putPlanObject } from "./plan-objects.ts";

/** Where the list of what a batch captured lies. */
export interface BatchRef {
  readonly key: string;
  readonly rows: number;
  readonly bytes: ByteCounts;
}

/** What a batch's object holds. */
export interface CapturedBatch {
  readonly parts: readonly CapturedPart[];
}

export interface CaptureBatchInput {
  readonly database: string;
  readonly snapshot: string;
  readonly token: string;
  readonly landing: string;
  readonly plan: string;
  readonly batch: number;
}

/** A table that somebody has locked, or a landing store that hangs: each has time limits of its own, which end before. */
const standstill = { afterMs: 5 * 60_000, type: "DatabaseUnreachable" } as const;

export const createCaptureBatch = ({ site, threads, checkpointBytes }: ActivityEnvironment) => ({
  /** Captures the parts of one batch. A retry starts after what the last attempt's checkpoints made durable. */
  captureBatch: async (input: CaptureBatchInput): Promise<BatchRef> => {
    const at = await site();
    const signal = cancellationSignal();
    const store = await at.store(input.landing);
    const keys = await at.repositoryKeys();
    const capture = await getPlan(store, keys.indexKey, input.plan, signal);
    const parts = capture.batches[input.batch];
    if (parts === undefined) throw new Failure("Unexpected", `the plan ${input.plan} has no batch ${input.batch}`);

    // Checkpoints come from a thread, where no activity is current any more.
    const { activityId, attempt, heartbeatDetails } = activityInfo();
    const keyFor = (what: string): string => `${planPrefix(input.snapshot)}batch-${input.batch}-${activityId}-${attempt}-${what}`;
    const earlier = (heartbeatDetails as { kept?: readonly string[] } | undefined)?.kept ?? [];
    const done = await Promise.all(earlier.map((key) => getPlanObject<CaptureCheckpoint>(store, keys.indexKey, key, signal)));
    const donePlaces = new Set(done.flatMap((checkpoint) => checkpoint.parts.map(({ part }) => part.join("/"))));

    const kept = [...earlier];
    const capturing = runJob(
      threads,
      "capture",
      {
        engine: at.database(input.database).engine,
        url: await at.databaseUrl(input.database),
        token: input.token,
        parts: partsToCapture(
          capture,
          parts.filter((part) => !donePlaces.has(part.join("/"))),
        ),
        keys,
        recipients: await at.recipients(),
        landing: await at.storeConfig(input.landing),
        room: quotaOfStore(at.loaded.config, input.landing),
        catalog: await at.catalogUrl(),
        checkpointBytes,
      },
      { ...standstill, what: `the capture of ${input.database}` },
      async (checkpoint) => {
        const key = keyFor(`checkpoint-${kept.length}`);
        await putPlanObject(store, keys.indexKey, key, checkpoint, signal);
        kept.push(key);
        return [...kept];
      },
    );
    const result = await capturing.catch(async (error: unknown) => {
      if (isFailure(error, "TakeoverUnsound")) await distrustTakeovers(at, input, capture.earlierSnapshot, signal);
      throw error;
    });
    const captured: CapturedBatch = { parts: [...done.flatMap((checkpoint) => checkpoint.parts), ...result.parts] };
    const key = keyFor("captured");
    await putPlanObject(store, keys.indexKey, key, captured, signal);
    return {
      key,
      rows: captured.parts.reduce((sum, part) => sum + part.rows, 0),
      bytes: [...done.map(({ bytes }) => bytes), result.bytes].reduce((a, b) => ({
        read: a.read + b.read,
        new: a.new + b.new,
        stored: a.stored + b.stored,
      })),
    };
  },
});

/**
 * A server's word was wrong: nothing more is taken over on it, and the snapshots that have relied on it since everything was
 * last read are not verified any longer, so that retention does not count on them.
 */
const distrustTakeovers = async (
  site: Site,
  { database, landing }: CaptureBatchInput,
  earlier: string | null,
  signal: AbortSignal,
): Promise<void> => {
  if (earlier === null) return;
  const catalog = await site.catalog();
  const store = await site.store(landing);
  const { indexKey } = await site.repositoryKeys();
  // Another batch may have been here before.
  if ((await store.stat(takeoverKey(earlier), signal)) === undefined) return;
  const { sinceFull } = await getPlanObject<TakeoverRecord>(store, indexKey, takeoverKey(earlier), signal);
  const relying = (await liveSnapshots(catalog, database)).slice(0, sinceFull);
  for (const { snapshot } of relying) await withdrawState(catalog, snapshot, "verified");
  await store.delete(takeoverKey(earlier), signal);
};
