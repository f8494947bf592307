import type { WorkflowService } from "@temporalio/client";
import { type TaskQueue, taskQueues } from "../core/domain/run.ts";

/**
 * Temporal remembers pollers for minutes after they are gone. One that is there asks again at least once a minute, and gets
 * no answer in between; who has not asked for longer than this is gone.
 */
const pollerSilenceMs = 75_000;

/** Numbers of Temporal's API: who polls for workflows, and who for activities. */
const kindOf = (queue: TaskQueue): number => (queue === "orchestrate" ? 1 : 2);

/** The identities of those who poll a task queue, as Temporal sees them now. */
export const pollersOf = async (service: WorkflowService, namespace: string, queue: TaskQueue): Promise<string[]> => {
  const taskQueue = { name: taskQueues[queue] };
  const { pollers } = await service.describeTaskQueue({ namespace, taskQueue, taskQueueType: kindOf(queue) });
  return (pollers ?? [])
    .filter(({ lastAccessTime }) => Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1_000 < pollerSilenceMs)
    .map(({ identity }) => identity ?? "");
};
