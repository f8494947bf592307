import { cancellationSignal, heartbeat } from "@temporalio/activity";
import { beginDelete } from "../../core/catalog/begin-delete.ts";
import { condemnUnreferenced } from "../../core/catalog/condemn-unreferenced.ts";
import { deletable } from "../../core/catalog/deletable.ts";
import { finishDelete } from "../../core/catalog/finish-delete.ts";
import type { DeletableObject } from "../../core/catalog/records.ts";
import { removeSnapshots } from "../../core/catalog/remove-snapshots.ts";
import { durationMs } from "../../core/domain/duration.ts";
import { retentionPlanOf } from "../../core/site/retention-plan.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { createChangeHold } from "./change-hold.ts";

/** Objects that are past saving, by key and by the stores that have them. */
export interface Deletions {
  readonly objects: readonly DeletableObject[];
  readonly keys: readonly string[];
}

/** Letting go of what the policy no longer keeps, and of what nothing refers to. */
export const createRetainActivities = ({ site, threads }: ActivityEnvironment) => ({
  ...createChangeHold({ site, threads }),

  /** Removes the snapshots that the database's policy lets go. Their envelopes are destroyed with them. */
  removeExpired: async ({ database }: { database: string }): Promise<{ removed: readonly string[] }> => {
    const at = await site();
    const catalog = await at.catalog();
    const { deletions } = await retentionPlanOf(at, database, new Date());
    if (deletions.length > 0) await removeSnapshots(catalog, deletions, new Date());
    return { removed: deletions };
  },

  condemnUnreferenced: async (): Promise<void> => {
    await condemnUnreferenced(await (await site()).catalog(), new Date());
  },

  /** Up to `limit` objects whose grace time is over, marked as deleted: from here on no capture can rely on them. */
  chooseDeletions: async ({ limit }: { limit: number }): Promise<Deletions> => {
    const at = await site();
    const catalog = await at.catalog();
    const grace = durationMs(at.loaded.config.retention.grace);
    const candidates = await deletable(catalog, new Date(Date.now() - grace), limit);
    const marked = new Set(
      await beginDelete(
        catalog,
        candidates.map(({ id }) => id),
      ),
    );
    const objects = candidates.filter(({ id, kind }) => kind === "envelopes" || marked.has(id));
    return { objects, keys: objects.map(({ key }) => key) };
  },

  /** Deletes them from every store. One that a store cannot delete stays there as ciphertext that nothing opens any more. */
  deleteObjects: async ({ objects }: Deletions): Promise<{ unpinned: number; kept: number }> => {
    const at = await site();
    const catalog = await at.catalog();
    let unpinned = 0;
    let kept = 0;
    for (const { key, stores } of objects) {
      for (const name of stores) {
        const store = await at.store(name);
        if (store.capabilities.deletion === "impossible") kept += 1;
        else await store.delete(key, cancellationSignal());
        if (store.capabilities.deletion === "unpin") unpinned += 1;
        await finishDelete(catalog, key, name);
      }
      heartbeat({ key });
    }
    return { unpinned, kept };
  },
});

export type RetainActivities = ReturnType<typeof createRetainActivities>;
