import { createAnchorActivities } from "../activities/anchor/index.ts";
import { createComplyActivities } from "../activities/comply/index.ts";
import { createEncryptActivities } from "../activities/encrypt/index.ts";
import type { ActivityEnvironment } from "../activities/environment.ts";
import { createReplicateActivities } from "../activities/replicate/index.ts";
import { createRestoreActivities } from "../activities/restore/index.ts";
import { createRetainActivities } from "../activities/retain/index.ts";
import { createRunActivities } from "../activities/run/index.ts";
import { createSnapshotActivities } from "../activities/snapshot/index.ts";
import type { TaskQueue } from "../core/domain/run.ts";

type ActivityQueue = Exclude<TaskQueue, "orchestrate">;

/** Which activities a worker of a queue offers. A queue's process needs no secrets but those that its activities use. */
export const activitiesOf = (queue: ActivityQueue, environment: ActivityEnvironment): object => {
  switch (queue) {
    case "capture":
      return {
        ...createSnapshotActivities(environment),
        ...createEncryptActivities(environment),
        ...createRunActivities(environment),
        ...createComplyActivities(environment),
      };
    case "replicate":
      return { ...createReplicateActivities(environment), ...createRetainActivities(environment) };
    case "chain":
      return createAnchorActivities(environment);
    case "restore":
      return createRestoreActivities(environment);
  }
};
