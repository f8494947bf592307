import { cancellationSignal } from "@temporalio/activity";
import { dropReplica } from "../../core/catalog/drop-replica.ts";
import { markProven } from "../../core/catalog/mark-proven.ts";
import { reachState } from "../../core/catalog/reach-state.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { VerifyInput, VerifyResult } from "../../core/domain/run.ts";
import { restoreSources } from "../../core/site/restore-sources.ts";
import { type ActivityEnvironment, runJob } from "../environment.ts";

export const createVerifySnapshot = ({ site, threads }: ActivityEnvironment) => ({
  /** Reads a snapshot back and opens it. A copy found bad stops counting as a replica; a snapshot without any problem is `verified`. */
  verifySnapshot: async ({ snapshot, depth, store }: VerifyInput): Promise<VerifyResult> => {
    const at = await site();
    const catalog = await at.catalog();
    const record = await getSnapshot(catalog, snapshot);
    if (record === undefined) throw new Failure("SnapshotUnknown", `snapshot ${snapshot} is not in the catalog`);
    const sources = await restoreSources(at, snapshot, record.database, store);
    const result = await runJob(threads, "verify", { ...sources, depth }, cancellationSignal());

    const provenAt = new Date();
    for (const [name, keys] of Object.entries(result.proven)) for (const key of keys) await markProven(catalog, key, name, provenAt);
    const unfit = result.problems.filter(({ type }) => type === "ObjectMissing" || type === "ObjectCorrupt");
    for (const problem of unfit) await dropReplica(catalog, problem.object, problem.store);
    const verified = result.problems.length === 0;
    if (verified) {
      const evidence = { depth, stores: sources.stores.map(({ name }) => name), objects: result.objects, bytes: result.bytes };
      await reachState(catalog, snapshot, "verified", evidence, provenAt);
    }
    return { snapshot, verified, objects: result.objects, bytes: result.bytes, problems: result.problems };
  },
});
