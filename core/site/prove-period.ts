import { logEntries } from "../catalog/read-log-entries.ts";
import { type IndexedEntry, openLog } from "../ledger/log.ts";
import { buildPeriodStatement } from "../ledger/period-statement.ts";
import type { PeriodStatement } from "../ledger/verify/period.ts";
import { proveEntry } from "./prove-snapshot.ts";
import type { Site } from "./site.ts";

/** The statement of all entries of a database from `from` to `to` (ISO 8601, UTC with milliseconds). Throws `NameUnknown` when there are none. */
export const provePeriod = async (
  site: Site,
  name: string,
  { from, to }: { readonly from: string; readonly to: string },
  signal: AbortSignal,
  since?: { readonly size: number; readonly root?: string },
): Promise<PeriodStatement> => {
  site.database(name);
  const { log: place } = site.loaded.config;
  const log = await openLog({ store: await site.store(place.store), origin: place.origin, signer: await site.logSigner(), signal });
  const entries: IndexedEntry[] = [];
  for (const { index } of await logEntries(await site.catalog(), { database: name }))
    if (index < log.size) entries.push(await log.entry(index));
  const database = { name, salt: await site.logNameSalt(name) };
  return await buildPeriodStatement({
    log,
    entries,
    database,
    from,
    to,
    attest: (index) => proveEntry(site, log, index, { database: name, signal, since }),
  });
};
