import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { type ReplicaFacts, recordReplicas } from "../../core/catalog/record-replica.ts";
import { replicaSummary } from "../../core/catalog/replica-summary.ts";
import { replicasMissing } from "../../core/catalog/replicas-missing.ts";
import { snapshotObjects } from "../../core/catalog/snapshot-objects.ts";
import { storeTrust } from "../../core/catalog/store-trust.ts";
import { eachLimited } from "../../core/domain/each-limited.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import type { StoreReplica } from "../../core/domain/run.ts";
import { inOrderOfTrust } from "../../core/domain/store-trust.ts";
import { configKey, manifestKey } from "../../core/repository/object-keys.ts";
import type { Store } from "../../core/stores/store.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { keepAlive } from "../keep-alive.ts";
import { bringBackShared } from "./bring-back.ts";
import { copyEnvelopes } from "./copy-envelopes.ts";
import { copyObject } from "./copy-object.ts";
import { openRoomKeeper, withSizes } from "./require-room.ts";
import { recordLate, recordSettled, takenBefore } from "./settle-copies.ts";

export interface CopyInput {
  readonly snapshot: string;
  readonly from: string;
  readonly to: string;
  /** Other stores of the policy: asked for what the landing store has lost. */
  readonly others: readonly string[];
  /** Whether this store keeps the keyring's envelopes, too. */
  readonly envelopes: boolean;
}

/** Each may hold a pack in memory. */
const atOnce = 2;
/** Of what is copied, one object in so many is read back; the first always is. `verify` reads the rest in its own time. */
const readBackEvery = 4;
/** What an attempt that is killed has to copy again, and not a transaction for every object. */
const recordEveryMs = 200;
/** Longer than any store's own time limit for one object. */
const standstill = { afterMs: 20 * 60_000, type: "StoreUnreachable" } as const;

/** A store whose secret is missing or malformed fails its own copy, and stands in the way of no other. */
const usable = async (opening: Promise<Store>): Promise<Store | undefined> => {
  try {
    return await opening;
  } catch (error) {
    if (isFailure(error)) return undefined;
    throw error;
  }
};

export const createCopyToStore = ({ site }: ActivityEnvironment) => ({
  /**
   * Brings every object of a snapshot that a store lacks into it, the manifest last. Resumes where the last attempt
   * ended. For the landing store itself: proves that it has them, and gets from the others what it has lost. What would
   * burst the store's quota, or the policy's ceiling, is refused before anything of it is copied. Where a store's network has what the
   * store has taken only later, it fails with `StoreUnsettled` until then, and is tried again.
   */
  copyToStore: (input: CopyInput): Promise<StoreReplica> =>
    keepAlive({ ...standstill, what: `the copy of ${input.snapshot} to ${input.to}` }, async (report, signal) => {
      const at = await site();
      const catalog = await at.catalog();
      const [from, to] = await Promise.all([at.store(input.from), at.store(input.to)]);
      const others = await Promise.all(inOrderOfTrust(input.others, await storeTrust(catalog)).map((name) => usable(at.store(name))));
      const sources = [from, ...others.filter((store) => store !== undefined && store !== from && store !== to)] as Store[];
      if ((await to.stat(configKey, signal)) === undefined) await to.put(configKey, await from.get(configKey, signal), signal);

      await recordLate(catalog, to, { signal, onLooked: (object) => report({ store: to.name, settling: object }) });
      const missing = await replicasMissing(catalog, input.snapshot, input.to);
      const sealed = await getSnapshot(catalog, input.snapshot);
      // Of one that was removed nothing is missing anywhere: it must not pass for a copy.
      if (sealed === undefined || sealed.removedAt !== null) {
        throw new Failure("SnapshotUnknown", `snapshot ${input.snapshot} is not in the catalog, or was removed: it is not copied`);
      }
      const { manifestHash } = sealed;
      // Before the first put: copies that a killed run leaves unrecorded would outlive their snapshot.
      const room = await openRoomKeeper(at, to, sealed.database, `the copy of ${input.snapshot} to ${to.name}`, signal);
      await room.reserve(await withSizes(catalog, missing, from, signal));
      let done = 0;
      let copied: ReplicaFacts[] = [];
      let recordedAt = Date.now();
      const record = async (): Promise<void> => {
        // What a store has only taken is recorded when its network has it.
        if (to.settled !== undefined) return;
        const facts = copied;
        copied = [];
        recordedAt = Date.now();
        if (facts.length > 0) await recordReplicas(catalog, facts);
      };
      const copy = async (key: string): Promise<void> => {
        const expected = key === manifestKey(input.snapshot) ? manifestHash : undefined;
        const taken = from === to ? undefined : await takenBefore(to, key, signal);
        const { id, bytes, proven } =
          taken ?? (await copyObject({ sources, to, key, expected, readBack: done % readBackEvery === 0 }, signal));
        copied.push({ object: key, store: to.name, receipt: id, bytes, provenAt: proven ? new Date() : null });
        if (Date.now() - recordedAt >= recordEveryMs) await record();
        done += 1;
        report({ store: to.name, objects: done, of: missing.length });
      };
      try {
        // A store that has the manifest has everything that it needs: the manifest goes last.
        await eachLimited(missing.slice(0, -1), atOnce, copy);
        await record();
        if (input.envelopes) {
          const { ranges } = await snapshotObjects(catalog, input.snapshot);
          const onCopied = (object: string): void => report({ store: to.name, object });
          await copyEnvelopes(catalog, to, room, [...ranges, input.snapshot], { signal, onCopied });
        }
        for (const key of missing.slice(-1)) await copy(key);
      } finally {
        await record();
      }
      await recordSettled(catalog, to, copied, { signal, onSettled: (object) => report({ store: to.name, settled: object }) });

      // A verification beside this may have found bad what was there when this began.
      const [lost] = await replicasMissing(catalog, input.snapshot, input.to);
      if (lost !== undefined)
        throw new Failure("ObjectMissing", `${lost} was found bad in store ${to.name} while ${input.snapshot} was copied`);
      await bringBackShared(at, to.name, input.snapshot, sealed.database, signal);
      const summary = (await replicaSummary(catalog, input.snapshot)).find(({ store }) => store === to.name);
      return { store: to.name, packs: summary?.packs ?? 0, verified: summary?.verified ?? 0 };
    }),
});
