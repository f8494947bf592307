import { createHash } from "node:crypto";
import { type Client, ScheduleNotFoundError } from "@temporalio/client";
import canonicalize from "canonicalize";
import { Failure } from "../core/domain/failure.ts";
import { isScheduleId } from "../core/domain/schedules.ts";
import type { Site } from "../core/site/site.ts";
import { searchAttributeKeys } from "../workflows/search-attributes.ts";
import { type DesiredSchedule, desiredSchedules } from "./schedules.ts";

export interface ScheduleChange {
  readonly id: string;
  /** `leave`: the configuration no longer names it, and without `--prune` it stays. */
  readonly action: "create" | "update" | "keep" | "delete" | "leave";
  /** In words: what it does and when. */
  readonly what: string;
}

/** Of what a schedule should be, kept in its memo: how a second `apply` tells that there is nothing to change. */
const digestMemo = "dbgovDigest";
const digestOf = (desired: DesiredSchedule): string =>
  createHash("sha256")
    .update(canonicalize(desired.options) ?? "")
    .digest("hex");

/** What has to change so that Temporal's schedules are those of the configuration. Changes nothing. */
export const planSchedules = async (client: Client, site: Site, prune: boolean): Promise<ScheduleChange[]> => {
  const existing = new Map<string, string | undefined>();
  for await (const { scheduleId, memo } of client.schedule.list()) {
    if (isScheduleId(scheduleId)) existing.set(scheduleId, memo?.[digestMemo] as string | undefined);
  }
  const desired = desiredSchedules(site);
  const changes = desired.map((schedule): ScheduleChange => {
    const id = schedule.options.scheduleId;
    const action = !existing.has(id) ? "create" : existing.get(id) === digestOf(schedule) ? "keep" : "update";
    return { id, action, what: schedule.what };
  });
  const named = new Set(desired.map(({ options }) => options.scheduleId));
  const unnamed = [...existing.keys()].filter((id) => !named.has(id)).sort();
  return [
    ...changes,
    ...unnamed.map((id): ScheduleChange => ({ id, action: prune ? "delete" : "leave", what: "no longer in the configuration" })),
  ];
};

/** Carries a plan out. Each step can be done twice. */
export const applySchedules = async (client: Client, site: Site, plan: readonly ScheduleChange[]): Promise<void> => {
  const desired = new Map(desiredSchedules(site).map((schedule) => [schedule.options.scheduleId, schedule]));
  for (const { id, action } of plan) {
    const schedule = desired.get(id);
    if (action === "delete") await client.schedule.getHandle(id).delete();
    if (schedule === undefined || (action !== "create" && action !== "update")) continue;
    // Memos cannot be updated: a schedule that changes is made anew, which its next run does not notice.
    if (action === "update") await deleteIfThere(client, id);
    await client.schedule.create({ ...schedule.options, memo: { [digestMemo]: digestOf(schedule) } });
  }
};

const deleteIfThere = async (client: Client, id: string): Promise<void> => {
  try {
    await client.schedule.getHandle(id).delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
};

/** Registers the search attributes that runs carry, where the namespace does not have them yet. */
export const ensureSearchAttributes = async (client: Client, namespace: string): Promise<string[]> => {
  const { operatorService } = client.connection;
  const keyword = 2;
  try {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    const missing = searchAttributeKeys.map(({ name }) => name).filter((name) => customAttributes?.[name] === undefined);
    if (missing.length > 0) {
      await operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
      });
    }
    return missing;
  } catch (cause) {
    throw new Failure("OrchestratorUnreachable", `the search attributes of namespace ${namespace} cannot be registered`, { cause });
  }
};
