import { copyLog } from "../../core/ledger/copy-log.ts";
import type { LogPlace } from "../../core/ledger/log-state.ts";
import { retiredLogKeys } from "../../core/site/retired-keys.ts";
import type { Site } from "../../core/site/site.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { keepAlive } from "../keep-alive.ts";

/** Longer than any store's own time limit for one object. */
const standstill = { afterMs: 5 * 60_000, type: "StoreUnreachable" } as const;

/** The log in its own store, whose heads one of its keys must have signed; `publicKey` is the present one. */
export const logPlaceOf = async (at: Site, publicKey: string, signal: AbortSignal): Promise<LogPlace> => {
  const { origin, store } = at.loaded.config.log;
  const keys = [
    { publicKey: new Uint8Array(Buffer.from(publicKey, "hex")) },
    ...retiredLogKeys(at.loaded.config, new Date().toISOString()),
  ];
  return { store: await at.store(store), origin, keys, signal };
};

export const createCopyLog = ({ site }: ActivityEnvironment) => ({
  /** Brings a store's copy of the log up to what is published. `publicKey` is the log's, as hex. */
  copyLogTo: ({ store, publicKey }: { store: string; publicKey: string }): Promise<{ size: number; objects: number }> =>
    keepAlive({ ...standstill, what: `the copy of the log to ${store}` }, async (report, signal) => {
      const at = await site();
      const place = await logPlaceOf(at, publicKey, signal);
      return await copyLog(place, await at.store(store), (object) => report({ store, object }));
    }),
});
