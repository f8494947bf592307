import type { ActivityEnvironment } from "../environment.ts";
import { createAnchorCheckpoint } from "./anchor-checkpoint.ts";
import { createLogConfiguration } from "./log-configuration.ts";
import { createLogEvents } from "./log-events.ts";
import { createLogRetention } from "./log-retention.ts";
import { createPublishCheckpoint } from "./publish-checkpoint.ts";
import { createRequestAnchoring } from "./request-anchoring.ts";
import { createStampCheckpoint } from "./stamp-checkpoint.ts";
import { createSubmitCheckpoint } from "./submit-checkpoint.ts";

export type { AnchorInput } from "./request-anchoring.ts";
export type { TimestampInput } from "./stamp-checkpoint.ts";
export type { Submitted } from "./submit-checkpoint.ts";

/** The log, and the anchoring of its head outside the organization. */
export const createAnchorActivities = (environment: ActivityEnvironment) => ({
  ...createLogEvents(environment),
  ...createLogRetention(environment),
  ...createLogConfiguration(environment),
  ...createRequestAnchoring(environment),
  ...createPublishCheckpoint(environment),
  ...createStampCheckpoint(environment),
  ...createSubmitCheckpoint(environment),
  ...createAnchorCheckpoint(environment),
});

export type AnchorActivities = ReturnType<typeof createAnchorActivities>;
