import type { ActivityEnvironment } from "../environment.ts";
import { createArchiveRecords } from "./archive-records.ts";
import { createCheckLogCopy } from "./check-log-copy.ts";
import { createCopyLog } from "./copy-log.ts";
import { createCopyToStore } from "./copy-to-store.ts";
import { createDurabilityActivities } from "./durability.ts";
import { createKeepParity } from "./keep-parity.ts";
import { createPlanCopies } from "./plan-copies.ts";
import { createRelocate } from "./relocate.ts";
import { createRenewStores } from "./renew-stores.ts";
import { createRepairCopies } from "./repair-copies.ts";

/** Feeding the other stores from the landing store, and proving what each has. */
export const createReplicateActivities = (environment: ActivityEnvironment) => ({
  ...createCopyToStore(environment),
  ...createCopyLog(environment),
  ...createArchiveRecords(environment),
  ...createRepairCopies(environment),
  ...createPlanCopies(environment),
  ...createRelocate(environment),
  ...createDurabilityActivities(environment),
  ...createRenewStores(environment),
  ...createKeepParity(environment),
  ...createCheckLogCopy(environment),
});

export type ReplicateActivities = ReturnType<typeof createReplicateActivities>;
