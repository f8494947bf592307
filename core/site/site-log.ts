import { latestCheckpoint } from "../catalog/latest-checkpoint.ts";
import { isFailure } from "../domain/failure.ts";
import { keysOf } from "../ledger/checkpoint.ts";
import { healLog } from "../ledger/heal-log.ts";
import { type Log, openLog } from "../ledger/log.ts";
import { checkpointKey, headKey } from "../ledger/tiles.ts";
import type { Store } from "../stores/store.ts";
import { logCopies } from "./log-copies.ts";
import type { Site } from "./site.ts";

/**
 * Opens the log to append to it. One that is damaged in its store is put right first, from its own entries and from the copies; `onHealed`
 * is told which objects were replaced. Throws `LedgerCorrupt` when that cannot be done.
 */
export const openLogToAppend = async (site: Site, signal: AbortSignal, onHealed: (keys: readonly string[]) => void): Promise<Log> => {
  const { origin, store: storeName, witnessQuorum } = site.loaded.config.log;
  const store = await site.store(storeName);
  const signer = await site.logSigner();
  const publishAtOnce = witnessQuorum === 0;
  const open = (): Promise<Log> => openLog({ store, origin, signer, signal, unpublished: true, publishAtOnce });
  const known = await latestCheckpoint(await site.catalog(), origin);
  try {
    const log = await open();
    // Opening reads hashes alone; what is appended joins the last entries.
    if (log.size > 0) await log.entry(log.size - 1);
    // Where it has not the catalog's checkpoint, healing says what is wrong, or puts it right.
    if (known === undefined || (log.size >= known.size && (await log.rootAt(known.size)) === known.root)) return log;
  } catch (error) {
    if (!isFailure(error, "LedgerCorrupt")) throw error;
  }
  const place = { store, origin, keys: keysOf(signer), signal, unpublished: true };
  const target = publishAtOnce ? checkpointKey : headKey;
  onHealed(await healLog(place, await copiesOf(site), { known: known?.note, target }));
  return await open();
};

/** A store whose secret this process was not given cannot help. */
const copiesOf = async (site: Site): Promise<Store[]> => {
  const stores: Store[] = [];
  for (const name of logCopies(site)) {
    try {
      stores.push(await site.store(name));
    } catch (error) {
      if (!isFailure(error)) throw error;
    }
  }
  return stores;
};
