import { logEntries } from "../catalog/read-log-entries.ts";
import { durationMs } from "../domain/duration.ts";
import { openLog } from "../ledger/log.ts";
import { buildPeriodPages, type PeriodPages } from "../ledger/period-statement.ts";
import type { Objectives } from "../ledger/verify/period-facts.ts";
import { proveEntry } from "./prove-snapshot.ts";
import type { Site } from "./site.ts";

/** The statement of all entries of a database from `from` to `to` (ISO 8601, UTC with milliseconds). Throws `NameUnknown` when there are none. */
export const provePeriod = async (
  site: Site,
  name: string,
  { from, to }: { readonly from: string; readonly to: string },
  signal: AbortSignal,
  since?: { readonly size: number; readonly root?: string },
): Promise<PeriodPages> => {
  const { log: place } = site.loaded.config;
  const objectives = objectivesOf(site, name);
  const log = await openLog({ store: await site.store(place.store), origin: place.origin, signer: await site.logSigner(), signal });
  const places = (await logEntries(await site.catalog(), { database: name }))
    .filter(({ index }) => index < log.size)
    .map(({ index, at }) => ({ index, time: new Date(at).toISOString() }));
  return await buildPeriodPages({
    ...{ log, places, from, to, objectives },
    database: { name, salt: await site.logNameSalt(name) },
    attest: (index) => proveEntry(site, log, index, { database: name, signal, since }),
  });
};

/** What the sweep holds snapshots to, too. */
const verifyEverySeconds = 30 * 86_400;

const objectivesOf = (site: Site, database: string): Objectives => {
  const { objectives, drill } = site.policyOf(database);
  const seconds = (duration: string): number => durationMs(duration) / 1000;
  return {
    snapshotEverySeconds: seconds(objectives.recoveryPoint),
    verifyEverySeconds,
    drillEverySeconds: seconds(drill.every),
    restoreWithinSeconds: seconds(objectives.recoveryTime),
  };
};
