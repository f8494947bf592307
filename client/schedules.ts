import { type ScheduleOptions, type ScheduleOptionsStartWorkflowAction, ScheduleOverlapPolicy } from "@temporalio/client";
import type { Workflow } from "@temporalio/common";
import { durationMs } from "../core/domain/duration.ts";
import { type RunAbout, type ScheduledRun, taskQueues } from "../core/domain/run.ts";
import { scheduleIds } from "../core/domain/schedules.ts";
import type { Site } from "../core/site/site.ts";
import { backupInputOf } from "./run-policy.ts";

/** A schedule as the configuration wants it, and the same in words. */
export interface DesiredSchedule {
  readonly options: ScheduleOptions<ScheduleOptionsStartWorkflowAction<Workflow>>;
  readonly what: string;
}
type Spec = DesiredSchedule["options"]["spec"];

/** Explicit in every schedule: a run that is still going is not overlapped, a missed one is caught up, and a failed one never stops the next. */
const policies = (catchupWindow: number) => ({ overlap: ScheduleOverlapPolicy.SKIP, catchupWindow, pauseOnFailure: false });

export const desiredSchedules = (site: Site): DesiredSchedule[] => {
  const { config } = site.loaded;
  const day = 86_400_000;
  const schedule = (id: string, what: string, type: string, args: unknown[], spec: Spec, catchUp: number, about: RunAbout = {}) => ({
    what,
    options: {
      scheduleId: id,
      spec,
      action: {
        type: "startWorkflow" as const,
        workflowType: "onSchedule",
        // Temporal adds the time to it; the run itself has the plain id.
        workflowId: `schedule/${id}`,
        taskQueue: taskQueues.orchestrate,
        args: [{ type, id, args, about } satisfies ScheduledRun],
        staticSummary: what,
      },
      policies: policies(catchUp),
    },
  });
  const perDatabase = config.databases.flatMap(({ name, engine }) => {
    const policy = site.policyOf(name);
    const { cron, timeZone, jitter, catchUp } = policy.schedule;
    const about = { database: name, engine, policy: policy.name };
    return [
      schedule(
        scheduleIds.backup(name),
        `back up ${name} at "${cron}" ${timeZone}`,
        "backup",
        [backupInputOf(site, name)],
        { cronExpressions: [cron], timezone: timeZone, jitter: durationMs(jitter) },
        durationMs(catchUp),
        about,
      ),
      schedule(
        scheduleIds.drill(name),
        `drill ${name} every ${policy.drill.every}`,
        "drill",
        [{ database: name, engine }],
        { intervals: [{ every: durationMs(policy.drill.every) }], jitter: durationMs(jitter) },
        day,
        about,
      ),
    ];
  });
  const databases = config.databases.map(({ name }) => name);
  return [
    ...perDatabase,
    schedule(
      scheduleIds.retention,
      `apply retention at "${config.retention.cron}" UTC`,
      "retention",
      [{ databases }],
      { cronExpressions: [config.retention.cron] },
      day,
    ),
    schedule(
      scheduleIds.repair,
      `challenge and repair copies every ${config.durability.every}`,
      "repair",
      [],
      { intervals: [{ every: durationMs(config.durability.every) }], jitter: 600_000 },
      day,
    ),
    schedule(
      scheduleIds.renewal,
      `renew what stores end every ${config.durability.renewal.every}`,
      "renewal",
      [],
      { intervals: [{ every: durationMs(config.durability.renewal.every) }], jitter: 600_000 },
      day,
    ),
    schedule(scheduleIds.sweep, `sweep controls at "${config.sweep.cron}" UTC`, "sweep", [], { cronExpressions: [config.sweep.cron] }, day),
  ];
};
