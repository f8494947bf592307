import { cancellationSignal, heartbeat } from "@temporalio/activity";
import { condemnUnreferenced } from "../../core/catalog/condemn-unreferenced.ts";
import { newestSnapshots } from "../../core/catalog/newest-snapshots.ts";
import { removeSnapshots } from "../../core/catalog/remove-snapshots.ts";
import { durationMs } from "../../core/domain/duration.ts";
import { snapshotTime } from "../../core/domain/snapshot.ts";
import { longestRunMs } from "../../core/domain/snapshot-spacing.ts";
import { type DeletionMeans, deletionMeans } from "../../core/site/deletion-means.ts";
import { takeoverPrefix } from "../../core/snapshot/takeover.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { plansPrefix } from "../snapshot/plan-objects.ts";
import { createApprovedAct } from "./approved-act.ts";
import { createChangeHold } from "./change-hold.ts";
import { createDeleteObjects } from "./delete-objects.ts";
import { createPlanRemoval } from "./plan-removal.ts";
import { createProtectObjects } from "./protect-objects.ts";
import { createRetireSparsePacks } from "./retire-sparse-packs.ts";

/** What a removal did: from here on nobody can open the snapshot, and the packs and ranges that only it needed will go. */
export interface Removal {
  readonly snapshot: string;
  /** Of how many objects the envelopes were destroyed. */
  readonly envelopes: number;
  readonly ranges: number;
  readonly packs: number;
  readonly means?: DeletionMeans;
  readonly reason?: "retention" | "request";
}

/** Letting go of what the policy no longer keeps, and of what nothing refers to. */
export const createRetainActivities = ({ site, threads }: ActivityEnvironment) => ({
  ...createChangeHold({ site, threads }),
  ...createPlanRemoval({ site, threads }),
  ...createDeleteObjects({ site, threads }),
  ...createApprovedAct({ site, threads }),
  ...createProtectObjects({ site, threads }),
  ...createRetireSparsePacks({ site, threads }),

  /** Removes these snapshots, and destroys the envelopes of what only they needed. A second attempt answers as the first did. */
  removeSnapshots: async (input: {
    snapshots: readonly string[];
    requested?: readonly string[];
    untold?: readonly string[];
  }): Promise<{ removals: readonly Removal[] }> => {
    const at = await site();
    const removals: Removal[] = [];
    // One by one, so that the log can say of each what went with it.
    for (const snapshot of input.snapshots) {
      const gone = await removeSnapshots(await at.catalog(), [snapshot], new Date());
      const { envelopes, ranges, packs } = gone;
      const reason = input.requested?.includes(snapshot) ? "request" : "retention";
      // Where the copies of what an earlier run removed have lain cannot be told any more: some are deleted by now.
      const means = input.untold?.includes(snapshot) ? {} : { means: await deletionMeans(at, snapshot, gone) };
      removals.push({ snapshot, envelopes: envelopes.length, ranges: ranges.length, packs: packs.length, ...means, reason });
      heartbeat({ snapshot });
    }
    return { removals };
  },

  /**
   * Deletes what runs that ended early passed to each other through their landing stores, and what they left for a next
   * run that took over from another one, once no run can need it any more.
   */
  discardStalePlans: async (): Promise<{ discarded: number }> => {
    const at = await site();
    const { policies, retention } = at.loaded.config;
    const before = snapshotTime(new Date(Date.now() - Math.max(longestRunMs, durationMs(retention.grace))));
    const needed = new Set((await newestSnapshots(await at.catalog())).map((snapshot) => `${takeoverPrefix}${snapshot}`));
    let discarded = 0;
    for (const name of new Set(policies.map(({ landing }) => landing))) {
      const store = await at.store(name);
      for (const prefix of [plansPrefix, takeoverPrefix]) {
        for await (const { key } of store.list(prefix, cancellationSignal())) {
          if (key.slice(prefix.length) >= before || needed.has(key)) continue;
          await store.delete(key, cancellationSignal());
          discarded += 1;
          heartbeat({ key });
        }
      }
    }
    return { discarded };
  },

  condemnUnreferenced: async (): Promise<void> => {
    await condemnUnreferenced(await (await site()).catalog(), new Date());
  },
});

export type RetainActivities = ReturnType<typeof createRetainActivities>;
