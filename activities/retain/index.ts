import { cancellationSignal, heartbeat } from "@temporalio/activity";
import { beginDelete } from "../../core/catalog/begin-delete.ts";
import { condemnUnreferenced } from "../../core/catalog/condemn-unreferenced.ts";
import { deletable, outOfReach } from "../../core/catalog/deletable.ts";
import { finishDelete } from "../../core/catalog/finish-delete.ts";
import { newestSnapshots } from "../../core/catalog/newest-snapshots.ts";
import type { DeletableObject } from "../../core/catalog/records.ts";
import { removeSnapshots } from "../../core/catalog/remove-snapshots.ts";
import { durationMs } from "../../core/domain/duration.ts";
import { longestRunMs } from "../../core/domain/retention.ts";
import { snapshotTime } from "../../core/domain/snapshot.ts";
import { retentionPlanOf } from "../../core/site/retention-plan.ts";
import type { Site } from "../../core/site/site.ts";
import { takeoverPrefix } from "../../core/snapshot/takeover.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { keepAlive } from "../keep-alive.ts";
import { plansPrefix } from "../snapshot/plan-objects.ts";
import { createChangeHold } from "./change-hold.ts";

/** Objects that are past saving, by key and by the stores that have them. */
export interface Deletions {
  readonly objects: readonly DeletableObject[];
  readonly keys: readonly string[];
}

/** What a removal did: from here on nobody can open the snapshot, and the packs and ranges that only it needed will go. */
export interface Removal {
  readonly snapshot: string;
  /** Of how many objects the envelopes were destroyed. */
  readonly envelopes: number;
  readonly ranges: number;
  readonly packs: number;
}

/** Longer than any store's own time limit for one deletion. */
const standstill = { afterMs: 5 * 60_000, type: "StoreUnreachable" } as const;

/** Letting go of what the policy no longer keeps, and of what nothing refers to. */
export const createRetainActivities = ({ site, threads }: ActivityEnvironment) => ({
  ...createChangeHold({ site, threads }),

  /** Which snapshots the database's policy lets go now. Decided once in a run: retries of the removal remove these and no others. */
  planRemoval: async ({ database }: { database: string }): Promise<{ snapshots: readonly string[] }> => {
    const { deletions } = await retentionPlanOf(await site(), database, new Date());
    return { snapshots: deletions };
  },

  /** Removes these snapshots, and destroys the envelopes of what only they needed. A second attempt answers as the first did. */
  removeSnapshots: async ({ snapshots }: { snapshots: readonly string[] }): Promise<{ removals: readonly Removal[] }> => {
    const catalog = await (await site()).catalog();
    const removals: Removal[] = [];
    // One by one, so that the log can say of each what went with it.
    for (const snapshot of snapshots) {
      const { envelopes, ranges, packs } = await removeSnapshots(catalog, [snapshot], new Date());
      removals.push({ snapshot, envelopes: envelopes.length, ranges: ranges.length, packs: packs.length });
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

  /** Up to `limit` objects whose grace time is over, marked as deleted: from here on no capture can rely on them. */
  chooseDeletions: async ({ limit }: { limit: number }): Promise<Deletions> => {
    const at = await site();
    const catalog = await at.catalog();
    const grace = durationMs(at.loaded.config.retention.grace);
    const candidates = await deletable(catalog, new Date(Date.now() - grace), limit, storesOf(at));
    const marked = new Set(
      await beginDelete(
        catalog,
        candidates.map(({ id }) => id),
      ),
    );
    const objects = candidates.filter(({ id, kind }) => kind === "envelopes" || marked.has(id));
    return { objects, keys: objects.map(({ key }) => key) };
  },

  /** Stores that left the configuration while they still had what was to be deleted: nobody can delete it there any more. */
  lookForUnreachable: async (): Promise<{ stores: readonly { store: string; objects: number }[] }> => {
    const at = await site();
    return { stores: await outOfReach(await at.catalog(), storesOf(at)) };
  },

  /** Deletes them from every store. One that a store cannot delete stays there as ciphertext that nothing opens any more. */
  deleteObjects: ({ objects }: Deletions): Promise<{ unpinned: number; kept: number }> =>
    keepAlive({ ...standstill, what: "the deletion of objects" }, async (report, signal) => {
      const at = await site();
      const catalog = await at.catalog();
      let unpinned = 0;
      let kept = 0;
      for (const { key, stores } of objects) {
        for (const name of stores) {
          const store = await at.store(name);
          if (store.capabilities.deletion === "impossible") kept += 1;
          else await store.delete(key, signal);
          if (store.capabilities.deletion === "unpin") unpinned += 1;
          await finishDelete(catalog, key, name);
          report({ key, store: name });
        }
      }
      return { unpinned, kept };
    }),
});

const storesOf = ({ loaded }: Site): string[] => loaded.config.stores.map(({ name }) => name);

export type RetainActivities = ReturnType<typeof createRetainActivities>;
