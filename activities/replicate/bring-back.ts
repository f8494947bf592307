import { archivingStores, policyOfDatabase } from "../../core/config/plan-inputs.ts";
import { Failure } from "../../core/domain/failure.ts";
import { packsToRehydrate, rehydrateSnapshot } from "../../core/site/rehydrate-snapshot.ts";
import type { Site } from "../../core/site/site.ts";

/** After this they may be archived again, should no policy want to read them any more. */
const keepMs = 7 * 24 * 60 * 60_000;

/**
 * A snapshot may share packs with old ones of another policy, which archived them. Where its own policy counts on the store, they are brought back,
 * and the copy is none (`StoreUnsettled`) until they are: it is tried again, and the next run finds them.
 */
export const bringBackShared = async (at: Site, store: string, snapshot: string, database: string, signal: AbortSignal): Promise<void> => {
  const { config } = at.loaded;
  if (archivingStores(config, policyOfDatabase(config, database)).includes(store)) return;
  const request = { snapshot, store, priority: "standard", keepMs } as const;
  const packs = await packsToRehydrate(at, request);
  const [asked] = await rehydrateSnapshot(at, request, packs, signal);
  if (asked === undefined || asked.online === asked.packs) return;
  const left = asked.packs - asked.online;
  throw new Failure(
    "StoreUnsettled",
    `store ${store} is bringing back ${left} of the packs of ${snapshot} from its archive tier, for up to 15 hours`,
  );
};
