import type { Catalog } from "../catalog/catalog.ts";
import { listReplicas } from "../catalog/list-replicas.ts";
import { getSnapshot } from "../catalog/read-snapshots.ts";
import { storeTrust } from "../catalog/store-trust.ts";
import type { StoreConfig } from "../config/schema.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import { inOrderOfTrust } from "../domain/store-trust.ts";
import { manifestKey } from "../repository/object-keys.ts";
import { signingKeysFor } from "../repository/signing-keys.ts";
import type { SnapshotAccess } from "../snapshot/open-snapshot.ts";
import { accessFromCatalog } from "../snapshot/snapshot-access.ts";
import type { Site } from "./site.ts";

export interface SourceOptions {
  /** Only this store. */
  readonly only?: string | undefined;
  /** A store whose secret is not set here fails the whole; otherwise it is passed over while another has the snapshot. @default false */
  readonly everyStore?: boolean;
}

/** Everything a job needs to open a snapshot: keys and envelopes, and the stores that hold it, the landing store first, doubted ones last. */
export const restoreSources = async (
  site: Site,
  snapshot: string,
  database: string,
  { only, everyStore = false }: SourceOptions = {},
): Promise<{ access: SnapshotAccess; stores: StoreConfig[] }> => {
  const catalog: Catalog = await site.catalog();
  const removedAt = (await getSnapshot(catalog, snapshot))?.removedAt;
  if (removedAt != null) {
    throw new Failure(
      "SnapshotUnknown",
      `snapshot ${snapshot} was removed on ${removedAt.slice(0, 10)} by retention, and cannot be opened any more`,
    );
  }
  const holders = new Set((await listReplicas(catalog, [manifestKey(snapshot)])).map(({ store }) => store));
  const wanted = only === undefined ? inOrderOfTrust(storesOf(site, database), await storeTrust(catalog)) : [only];
  const names = wanted.filter((name) => holders.has(name));
  if (names.length === 0) {
    const where = only === undefined ? "any store that is configured for it" : `store ${only}`;
    throw new Failure("ObjectMissing", `snapshot ${snapshot} is not recorded to be in ${where}`);
  }
  const { secret } = await site.recipientSecret();
  return {
    access: await accessFromCatalog(catalog, snapshot, secret, signingKeysFor(snapshot, await site.signingKeys())),
    stores: everyStore ? await Promise.all(names.map((name) => site.storeConfig(name))) : await usableStores(site, names),
  };
};

/** Those of the database's policy; of a database that the configuration no longer has, every store that keeps whole snapshots. */
const storesOf = (site: Site, database: string): string[] => {
  const { databases, stores } = site.loaded.config;
  if (!databases.some(({ name }) => name === database)) return stores.filter(({ kind }) => kind !== "arweave").map(({ name }) => name);
  const policy = site.policyOf(database);
  return [policy.landing, ...policy.stores];
};

const usableStores = async (site: Site, names: readonly string[]): Promise<StoreConfig[]> => {
  const usable: StoreConfig[] = [];
  let missing: unknown;
  for (const name of names) {
    try {
      usable.push(await site.storeConfig(name));
    } catch (error) {
      if (!isFailure(error, "SecretMissing")) throw error;
      missing ??= error;
    }
  }
  if (usable.length === 0) throw missing;
  return usable;
};
