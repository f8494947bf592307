import { log as workerLog } from "@temporalio/activity";
import * as ledger from "../../core/site/append-events.ts";
import type { Site } from "../../core/site/site.ts";

export type { LogEvent } from "../../core/site/append-events.ts";
export { databaseCommitment } from "../../core/site/append-events.ts";

/** Appends events to the log; the worker's own log says it when the log had to be put right before. */
export const appendEvents = (
  site: Site,
  events: readonly ledger.LogEvent[],
  signal: AbortSignal,
): Promise<{ index: number; size: number }[]> => ledger.appendEvents(site, events, signal, sayHealed);

export const sayHealed = (keys: readonly string[]): void =>
  workerLog.warn("the log was damaged in its store, and is put right", { keys: keys.slice(0, 20).join(", "), objects: keys.length });
