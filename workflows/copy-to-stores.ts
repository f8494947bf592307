import { isCancellation, proxyActivities } from "@temporalio/workflow";
import type { ReplicateActivities } from "../activities/replicate/index.ts";
import { placementOf } from "../core/domain/placement.ts";
import type { RunPolicy, StoreReplica } from "../core/domain/run.ts";
import { aliveWithin, longStep, step } from "./activity-options.ts";
import { failureOf, failWith, type KnownFailure } from "./failure-of.ts";

export type StoreFailure = KnownFailure & { readonly store: string };

export interface Replication {
  readonly replicas: readonly StoreReplica[];
  readonly copies: number;
  readonly domains: number;
  /** Stores that did not take part in it. The quorum holds without them, and the run is degraded. */
  readonly failed: readonly StoreFailure[];
}

/** Feeds every store from the landing store, each in its own time. Fails with `QuorumMissed` when too few hold the snapshot. */
export const copyToStores = async (policy: RunPolicy, snapshot: string, onDone: (store: string) => void): Promise<Replication> => {
  const { copyToStore } = proxyActivities<ReplicateActivities>(longStep("replicate", { patience: policy.patience, silence: aliveWithin }));
  const { planCopies } = proxyActivities<ReplicateActivities>(step("replicate", { patience: policy.patience }));
  const { archiveRecords } = proxyActivities<ReplicateActivities>(longStep("replicate", { patience: policy.patience }));
  const failed: StoreFailure[] = [];
  const attempt = async <T>(store: string, copy: () => Promise<T>): Promise<T | undefined> => {
    try {
      const result = await copy();
      onDone(store);
      return result;
    } catch (error) {
      if (isCancellation(error)) throw error;
      failed.push({ store, ...failureOf(error) });
      return undefined;
    }
  };
  const from = policy.landing;
  const stores =
    policy.placement === "planned"
      ? (await planCopies.executeWithOptions({ summary: "choose the stores" }, [{ snapshot }])).stores
      : policy.stores;
  const copies = [policy.landing, ...stores].map((store) =>
    attempt(store, () =>
      copyToStore.executeWithOptions({ summary: store === from ? `prove ${store}` : `copy to ${store}` }, [
        { snapshot, from, to: store, others: policy.stores, envelopes: policy.envelopes.includes(store) },
      ]),
    ),
  );
  const archives = policy.archive.map((store) =>
    attempt(store, () =>
      archiveRecords.executeWithOptions({ summary: `archive the sealed manifest in ${store}` }, [{ snapshot, from, to: store }]),
    ),
  );
  const [replicas] = await Promise.all([Promise.all(copies), Promise.all(archives)]);
  const held = replicas.filter((replica) => replica !== undefined);
  const placement = placementOf({ ...policy, stores }, policy.storeDomains, new Set(held.map(({ store }) => store)));
  if (!placement.replicated) {
    const found = `${placement.copies} of ${policy.copies} stores and ${placement.domains} of ${policy.domains} failure domains`;
    const why = failed.map(({ store, message }) => `${store}: ${message}`).join("; ");
    throw failWith("QuorumMissed", `${snapshot} is in ${found}: ${why}`);
  }
  return { replicas: held, copies: placement.copies, domains: placement.domains, failed };
};
