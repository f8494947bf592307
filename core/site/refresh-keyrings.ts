import { withAdvisoryLock } from "../catalog/locks.ts";
import { databasesWithEnvelopes, envelopesOfDatabase } from "../catalog/read-envelopes.ts";
import { dropFormerKeyring, ensureKeyring, hasFormerKeyring, keyringDatabases, refreshKeyring } from "../repository/keyring.ts";
import type { Site } from "./site.ts";

/** Brings what the recovery kit's keyring has of one database up to date; of all in a kit of the former form. Throws what `refreshKeyring` and the catalog throw. */
export const refreshKeyringOf = (site: Site, database: string, signal: AbortSignal): Promise<void> =>
  hasFormerKeyring(site.loaded.config.recoveryKit) ? refreshKeyrings(site, signal) : refreshOne(site, database, signal);

const refreshOne = async (site: Site, database: string, signal: AbortSignal): Promise<void> => {
  const catalog = await site.catalog();
  // One at a time: envelopes that were read before another run committed would replace those that have that run's.
  await withAdvisoryLock(catalog, `recovery kit ${database}`, signal, () =>
    refreshKeyring(site.loaded.config.recoveryKit, database, envelopesOfDatabase(catalog, database)),
  );
};

/** The same of all databases, also those whose last snapshot is gone. `progressed` is called after each. */
export const refreshKeyrings = async (site: Site, signal: AbortSignal, progressed?: (database: string) => void): Promise<void> => {
  const { recoveryKit } = site.loaded.config;
  await ensureKeyring(recoveryKit);
  const kept = await keyringDatabases(recoveryKit);
  for (const database of new Set([...kept, ...(await databasesWithEnvelopes(await site.catalog()))])) {
    await refreshOne(site, database, signal);
    progressed?.(database);
  }
  await dropFormerKeyring(recoveryKit);
};
