import { cancellationSignal } from "@temporalio/activity";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { loseReplica } from "../../core/catalog/lose-replica.ts";
import { markPackWritten } from "../../core/catalog/mark-pack-written.ts";
import { markPacksLost } from "../../core/catalog/mark-packs-lost.ts";
import { markProven } from "../../core/catalog/mark-proven.ts";
import { reachState } from "../../core/catalog/reach-state.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { withdrawState } from "../../core/catalog/withdraw-state.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { VerifyInput, VerifyResult } from "../../core/domain/run.ts";
import { restoreSources } from "../../core/site/restore-sources.ts";
import type { Store } from "../../core/stores/store.ts";
import { type ActivityEnvironment, runJob } from "../environment.ts";

/** Longer than any store's own time limit for one object. */
const standstill = { afterMs: 20 * 60_000, type: "StoreUnreachable" } as const;

const mostProblems = 500;

/** What speaks against the snapshot, and not only against a store that does not answer, or a key that is not the right one. */
const contradicting: readonly string[] = ["ObjectMissing", "ObjectCorrupt", "ContentDiffers", "EnvelopeMissing"];

const packOf = (key: string): string | undefined => /^packs\/..\/([0-9a-f]{64})$/.exec(key)?.[1];

export const createVerifySnapshot = ({ site, threads }: ActivityEnvironment) => ({
  /** Reads a snapshot back and opens it. A copy found bad stops counting as a replica; a snapshot without any problem is `verified`. */
  verifySnapshot: async ({ snapshot, depth, store }: VerifyInput): Promise<VerifyResult> => {
    const at = await site();
    const catalog = await at.catalog();
    const record = await getSnapshot(catalog, snapshot);
    if (record === undefined) throw new Failure("SnapshotUnknown", `snapshot ${snapshot} is not in the catalog`);
    const sources = await restoreSources(at, snapshot, record.database, { only: store, everyStore: true });
    const { envelopes } = at.policyOf(record.database);
    const result = await runJob(
      threads,
      "verify",
      { ...sources, depth, envelopes },
      { ...standstill, what: `the verification of ${snapshot}` },
    );

    const provenAt = new Date();
    for (const [name, keys] of Object.entries(result.proven)) await recordProofs(await at.store(name), keys);
    const unfit = result.problems.filter(({ type }) => type === "ObjectMissing" || type === "ObjectCorrupt");
    for (const problem of unfit) await loseReplica(catalog, problem.object, problem.store);
    if (result.problems.some(({ type }) => contradicting.includes(type))) await withdrawState(catalog, snapshot, "verified");
    // Captures must not refer to what nobody has any more.
    await markPacksLost(
      catalog,
      unfit.flatMap(({ object }) => packOf(object) ?? []),
    );
    const verified = result.problems.length === 0;
    // Of one store alone nothing follows for the others.
    if (verified && store === undefined) {
      const evidence = { depth, stores: sources.stores.map(({ name }) => name), objects: result.objects, bytes: result.bytes };
      await reachState(catalog, snapshot, "verified", evidence, provenAt);
    }
    const { objects, bytes, problems } = result;
    // A store that has lost everything has as many problems as objects, and the history has room for some.
    return { snapshot, verified, objects, bytes, problems: problems.slice(0, mostProblems) };

    /** A copy that had stopped counting, and is good again, counts again. */
    async function recordProofs(at: Store, keys: readonly string[]): Promise<void> {
      const recorded = new Set(
        (await listReplicas(catalog, keys)).filter((replica) => replica.store === at.name).map(({ object }) => object),
      );
      await markProven(catalog, [...recorded], at.name, provenAt);
      for (const key of keys.filter((one) => !recorded.has(one))) {
        const found = await at.stat(key, cancellationSignal());
        if (found !== undefined)
          await recordReplica(catalog, { object: key, store: at.name, receipt: found.receipt, bytes: found.bytes, provenAt });
        const pack = packOf(key);
        if (pack !== undefined) await markPackWritten(catalog, pack);
      }
    }
  },
});
