import { cancellationSignal, heartbeat } from "@temporalio/activity";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { envelopesOf } from "../../core/catalog/read-envelopes.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { replicaSummary } from "../../core/catalog/replica-summary.ts";
import { replicasMissing } from "../../core/catalog/replicas-missing.ts";
import { snapshotObjects } from "../../core/catalog/snapshot-objects.ts";
import type { StoreReplica } from "../../core/domain/run.ts";
import { encodeEnvelopes } from "../../core/repository/envelopes.ts";
import { configKey, envelopesKey } from "../../core/repository/object-keys.ts";
import { eachLimited } from "../../core/snapshot/each-limited.ts";
import type { Store } from "../../core/stores/store.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { copyObject } from "./copy-object.ts";

export interface CopyInput {
  readonly snapshot: string;
  readonly from: string;
  readonly to: string;
  /** Whether this store keeps the keyring's envelopes, too. */
  readonly envelopes: boolean;
}

const atOnce = 3;
/** Of what is copied, one object in so many is read back; the first always is. `verify` reads the rest in its own time. */
const readBackEvery = 4;

export const createCopyToStore = ({ site }: ActivityEnvironment) => ({
  /** Brings every object of a snapshot that a store lacks into it, the manifest last. Resumes where the last attempt ended. */
  copyToStore: async (input: CopyInput): Promise<StoreReplica> => {
    const at = await site();
    const signal = cancellationSignal();
    const catalog = await at.catalog();
    const [from, to] = await Promise.all([at.store(input.from), at.store(input.to)]);
    if ((await to.stat(configKey, signal)) === undefined) await to.put(configKey, await from.get(configKey, signal), signal);

    const missing = await replicasMissing(catalog, input.snapshot, input.to);
    let done = 0;
    const copy = async (key: string): Promise<void> => {
      const { id, bytes, proven } = await copyObject(from, to, key, done % readBackEvery === 0, signal);
      await recordReplica(catalog, { object: key, store: to.name, receipt: id, bytes, provenAt: proven ? new Date() : null });
      done += 1;
      heartbeat({ store: to.name, objects: done, of: missing.length });
    };
    // A store that has the manifest has everything that it needs: the manifest goes last.
    await eachLimited(missing.slice(0, -1), atOnce, copy);
    if (input.envelopes) await copyEnvelopes(input.snapshot, to);
    for (const key of missing.slice(-1)) await copy(key);

    const summary = (await replicaSummary(catalog, input.snapshot)).find(({ store }) => store === to.name);
    return { store: to.name, packs: summary?.packs ?? 0, verified: summary?.verified ?? 0 };

    async function copyEnvelopes(snapshot: string, store: Store): Promise<void> {
      const { ranges } = await snapshotObjects(catalog, snapshot);
      const there = await listReplicas(catalog, [...ranges, snapshot].map(envelopesKey));
      const present = new Set(there.filter((replica) => replica.store === store.name).map((replica) => replica.object));
      const lacking = [...ranges, snapshot].filter((object) => !present.has(envelopesKey(object)));
      await eachLimited(lacking, atOnce, async (object) => {
        const bytes = encodeEnvelopes(await envelopesOf(catalog, object));
        const receipt = await store.put(envelopesKey(object), bytes, signal);
        await recordReplica(catalog, {
          object: envelopesKey(object),
          store: store.name,
          receipt: receipt.id,
          bytes: bytes.length,
          provenAt: null,
        });
      });
    }
  },
});
