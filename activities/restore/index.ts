import type { ActivityEnvironment } from "../environment.ts";
import { createDrillSnapshot } from "./drill-snapshot.ts";
import { createVerifySnapshot } from "./verify-snapshot.ts";

/** What needs a recipient's secret key: verifying and drilling. */
export const createRestoreActivities = (environment: ActivityEnvironment) => ({
  ...createVerifySnapshot(environment),
  ...createDrillSnapshot(environment),
});

export type RestoreActivities = ReturnType<typeof createRestoreActivities>;
