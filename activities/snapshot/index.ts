import type { ActivityEnvironment } from "../environment.ts";
import { createCaptureBatch } from "./capture-batch.ts";
import { createDiscardPlan } from "./discard-plan.ts";
import { createHoldSnapshot } from "./hold-snapshot.ts";
import { createInspectDatabase } from "./inspect-database.ts";
import { createPlanCapture } from "./plan-capture.ts";
import { createReadReferences } from "./read-references.ts";

export type { BatchRef } from "./capture-batch.ts";
export type { PlanRef } from "./plan-capture.ts";

/** Reading the database: looking at it, holding a consistent snapshot, splitting it into parts, capturing them. */
export const createSnapshotActivities = (environment: ActivityEnvironment) => ({
  ...createInspectDatabase(environment),
  ...createHoldSnapshot(environment),
  ...createPlanCapture(environment),
  ...createCaptureBatch(environment),
  ...createDiscardPlan(environment),
  ...createReadReferences(environment),
});

export type SnapshotActivities = ReturnType<typeof createSnapshotActivities>;
