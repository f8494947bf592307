import { withAdvisoryLock } from "../../core/catalog/locks.ts";
import { allEnvelopes } from "../../core/catalog/read-envelopes.ts";
import { refreshKeyring } from "../../core/repository/recovery-kit.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { keepAlive } from "../keep-alive.ts";

/** The keyring is written as a whole, however many envelopes it has. */
const standstill = { afterMs: 60 * 60_000, type: "StoreUnreachable" } as const;

export const createRefreshRecoveryKit = ({ site }: ActivityEnvironment) => ({
  /** Brings the kit's copy of the keyring up to date. The kit's page and key were written by `dbgov keys`; no worker holds that key. */
  refreshRecoveryKit: (): Promise<void> =>
    keepAlive({ ...standstill, what: "the refresh of the recovery kit" }, async (_, signal) => {
      const at = await site();
      const catalog = await at.catalog();
      // One at a time: a keyring that was read before another run committed would replace the one that has its envelopes.
      await withAdvisoryLock(catalog, "recovery kit", signal, () => refreshKeyring(at.loaded.config.recoveryKit, allEnvelopes(catalog)));
    }),
});
