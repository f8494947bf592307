import { refreshKeyringOf, refreshKeyrings } from "../../core/site/refresh-keyrings.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { keepAlive } from "../keep-alive.ts";

/** A database's envelopes are written as a whole, however many they are. */
const standstill = { afterMs: 60 * 60_000, type: "StoreUnreachable" } as const;

export const createRefreshRecoveryKit = ({ site }: ActivityEnvironment) => ({
  /**
   * Brings the kit's copy of the keyring up to date, of one database or of all. The kit's page and key were written by `dbgov keys`; no
   * worker holds that key.
   */
  refreshRecoveryKit: (only?: { readonly database: string }): Promise<void> =>
    keepAlive({ ...standstill, what: "the refresh of the recovery kit" }, async (report, signal) => {
      const at = await site();
      if (only === undefined) await refreshKeyrings(at, signal, (database) => report({ database }));
      else await refreshKeyringOf(at, only.database, signal);
    }),
});
