import type { Catalog } from "../catalog/catalog.ts";
import { listReplicas } from "../catalog/list-replicas.ts";
import { getSnapshot } from "../catalog/read-snapshots.ts";
import type { StoreConfig } from "../config/schema.ts";
import { Failure } from "../domain/failure.ts";
import { manifestKey } from "../repository/object-keys.ts";
import type { SnapshotAccess } from "../snapshot/open-snapshot.ts";
import { accessFromCatalog } from "../snapshot/snapshot-access.ts";
import type { Site } from "./site.ts";

/** Everything a job needs to open a snapshot: keys and envelopes, and the stores that hold it, the landing store first. */
export const restoreSources = async (
  site: Site,
  snapshot: string,
  database: string,
  only?: string,
): Promise<{ access: SnapshotAccess; stores: StoreConfig[] }> => {
  const catalog: Catalog = await site.catalog();
  const removedAt = (await getSnapshot(catalog, snapshot))?.removedAt;
  if (removedAt != null) {
    throw new Failure(
      "SnapshotUnknown",
      `snapshot ${snapshot} was removed on ${removedAt.slice(0, 10)} by retention, and cannot be opened any more`,
    );
  }
  const policy = site.policyOf(database);
  const holders = new Set((await listReplicas(catalog, [manifestKey(snapshot)])).map(({ store }) => store));
  const names = (only === undefined ? [policy.landing, ...policy.stores] : [only]).filter((name) => holders.has(name));
  if (names.length === 0) {
    const where = only === undefined ? `any store of policy ${policy.name}` : `store ${only}`;
    throw new Failure("ObjectMissing", `snapshot ${snapshot} is not recorded to be in ${where}`);
  }
  const { secret } = await site.recipientSecret();
  const signer = await site.signer();
  return {
    access: await accessFromCatalog(catalog, snapshot, secret, [signer.publicKey]),
    stores: await Promise.all(names.map((name) => site.storeConfig(name))),
  };
};
