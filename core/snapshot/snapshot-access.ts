import type { Catalog } from "../catalog/catalog.ts";
import { envelopesOfEach } from "../catalog/read-envelopes.ts";
import { getSnapshot } from "../catalog/read-snapshots.ts";
import { snapshotObjects } from "../catalog/snapshot-objects.ts";
import type { RecipientSecret } from "../repository/keys.ts";
import type { SnapshotAccess } from "./open-snapshot.ts";

/** What opens a snapshot, from the catalog's keyring. A recovery kit gives the same without a catalog. */
export const accessFromCatalog = async (
  catalog: Catalog,
  snapshot: string,
  secret: RecipientSecret,
  signingKeys: readonly Uint8Array[],
): Promise<SnapshotAccess> => {
  const { ranges } = await snapshotObjects(catalog, snapshot);
  const manifestHash = (await getSnapshot(catalog, snapshot))?.manifestHash;
  return {
    snapshot,
    secret,
    signingKeys,
    ...(manifestHash === undefined ? {} : { manifestHash }),
    envelopes: await envelopesOfEach(catalog, [snapshot, ...ranges]),
  };
};
