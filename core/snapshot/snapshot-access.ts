import type { Catalog } from "../catalog/catalog.ts";
import { envelopesOf } from "../catalog/read-envelopes.ts";
import { snapshotObjects } from "../catalog/snapshot-objects.ts";
import type { Envelope } from "../repository/envelopes.ts";
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
  const envelopes: Record<string, readonly Envelope[]> = {};
  for (const object of [snapshot, ...ranges]) envelopes[object] = await envelopesOf(catalog, object);
  return { snapshot, secret, signingKeys, envelopes };
};
