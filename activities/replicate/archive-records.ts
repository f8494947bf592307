import { cancellationSignal, heartbeat, log } from "@temporalio/activity";
import { announceReplica } from "../../core/catalog/announce-replica.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { manifestKey } from "../../core/repository/object-keys.ts";
import type { Store } from "../../core/stores/store.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { copyObject } from "./copy-object.ts";

/** Where the log keeps its signed head (C2SP tlog-tiles). */
const checkpointKey = "log/checkpoint";

export const createArchiveRecords = ({ site }: ActivityEnvironment) => {
  /** What it cost goes into the worker's log: it was paid from the store's wallet, and within the store's cap. */
  const archive = async (from: Store, to: Store, key: string) => {
    heartbeat({ store: to.name, object: key });
    const receipt = await copyObject({ sources: [from], to, key, readBack: false }, cancellationSignal());
    log.info("archived", { store: to.name, object: key, receipt: receipt.id, bytes: receipt.bytes, cost: receipt.cost ?? "none" });
    return receipt;
  };

  return {
    /** Puts the small permanent things of a snapshot, which are sealed, into a store that keeps them for good: its manifest. */
    archiveRecords: async (input: { snapshot: string; from: string; to: string }): Promise<{ bytes: number }> => {
      const at = await site();
      const key = manifestKey(input.snapshot);
      // Before the put, as for every copy: one that nobody knows of would outlive its snapshot.
      await announceReplica(await at.catalog(), key, input.to, 0);
      const { id, bytes, proven } = await archive(await at.store(input.from), await at.store(input.to), key);
      await recordReplica(await at.catalog(), { object: key, store: input.to, receipt: id, bytes, provenAt: proven ? new Date() : null });
      return { bytes };
    },

    /** Puts the log's signed head into every store that a policy archives to. */
    archiveCheckpoint: async (): Promise<{ stores: readonly string[] }> => {
      const at = await site();
      const { log: place, policies } = at.loaded.config;
      const stores = [...new Set(policies.flatMap((policy) => policy.archive))];
      for (const name of stores) await archive(await at.store(place.store), await at.store(name), checkpointKey);
      return { stores };
    },
  };
};
