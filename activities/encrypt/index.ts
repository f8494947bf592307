import type { ActivityEnvironment } from "../environment.ts";
import { createRefreshRecoveryKit } from "./refresh-recovery-kit.ts";
import { createSealSnapshot } from "./seal-snapshot.ts";

/** Turning captured parts into a snapshot: the manifest, sealed to the recipients and signed. */
export const createEncryptActivities = (environment: ActivityEnvironment) => ({
  ...createSealSnapshot(environment),
  ...createRefreshRecoveryKit(environment),
});

export type EncryptActivities = ReturnType<typeof createEncryptActivities>;
