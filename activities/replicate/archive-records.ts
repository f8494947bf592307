import { cancellationSignal, heartbeat, log } from "@temporalio/activity";
import { announceReplica } from "../../core/catalog/announce-replica.ts";
import { markProven } from "../../core/catalog/mark-proven.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { storesOfObjects } from "../../core/catalog/stores-of-objects.ts";
import { unprovenCopies } from "../../core/catalog/unproven-copies.ts";
import { manifestKey, reportKey } from "../../core/repository/object-keys.ts";
import type { Site } from "../../core/site/site.ts";
import type { Store } from "../../core/stores/store.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { copyObject } from "./copy-object.ts";

/** Where the log keeps its signed head (C2SP tlog-tiles). */
const checkpointKey = "log/checkpoint";
/** So many of the newest reports are looked for in each archive: more have not come since the last look. */
const recentReports = 30;

export const createArchiveRecords = ({ site }: ActivityEnvironment) => {
  /** What it cost goes into the worker's log: it was paid from the store's wallet, and within the store's cap. */
  const archive = async (from: Store, to: Store, key: string) => {
    heartbeat({ store: to.name, object: key });
    const receipt = await copyObject({ sources: [from], to, key, readBack: false }, cancellationSignal());
    log.info("archived", { store: to.name, object: key, receipt: receipt.id, bytes: receipt.bytes, cost: receipt.cost ?? "none" });
    return receipt;
  };

  /** The stores that some policy archives to. */
  const archives = async (): Promise<Store[]> => {
    const at = await site();
    const names = new Set(at.loaded.config.policies.flatMap((policy) => policy.archive));
    return Promise.all([...names].map((name) => at.store(name)));
  };

  /**
   * What was archived before and has not settled since is recorded as proven when it has, and put again when the network has dropped it. So
   * is a report that a store has not got.
   */
  const lookAfter = async (to: Store): Promise<void> => {
    const at = await site();
    const catalog = await at.catalog();
    const signal = cancellationSignal();
    const settled: string[] = [];
    for (const object of to.settled === undefined ? [] : await unprovenCopies(catalog, to.name)) {
      heartbeat({ store: to.name, object });
      if (await to.settled?.(object, signal)) settled.push(object);
      else if ((await to.stat(object, signal)) === undefined) await postAgain(at, to, object);
    }
    await markProven(catalog, settled, to.name, new Date());
    const logStore = await at.store(at.loaded.config.log.store);
    const reports = (await Array.fromAsync(logStore.list(reportKey(""), signal))).map(({ key }) => key).sort();
    for (const key of reports.slice(-recentReports)) if ((await to.stat(key, signal)) === undefined) await archive(logStore, to, key);
  };

  const postAgain = async (at: Site, to: Store, object: string): Promise<void> => {
    const catalog = await at.catalog();
    const others = (await storesOfObjects(catalog, [object])).filter(({ store }) => store !== to.name);
    const sources = await Promise.all(others.map(({ store }) => at.store(store)));
    if (sources.length === 0) return;
    const { id, bytes } = await copyObject({ sources, to, key: object, readBack: false }, cancellationSignal());
    log.warn("the network had dropped it: archived again", { store: to.name, object, receipt: id });
    await recordReplica(catalog, { object, store: to.name, receipt: id, bytes, provenAt: null });
  };

  /** A store that does not take it keeps none of the others from it; its failure is thrown at the end. */
  const archiveEverywhere = async (key: string): Promise<{ stores: readonly string[] }> => {
    const at = await site();
    const stores = await archives();
    const from = await at.store(at.loaded.config.log.store);
    const failures: unknown[] = [];
    for (const to of stores) {
      try {
        await archive(from, to, key);
        await lookAfter(to);
      } catch (error) {
        cancellationSignal().throwIfAborted();
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return { stores: stores.map(({ name }) => name) };
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
    archiveCheckpoint: (): Promise<{ stores: readonly string[] }> => archiveEverywhere(checkpointKey),

    /** Puts a sweep's sealed report into every store that a policy archives to. */
    archiveReport: ({ sealed }: { sealed: string }): Promise<{ stores: readonly string[] }> => archiveEverywhere(sealed),
  };
};
