import { allEnvelopes } from "../../core/catalog/read-envelopes.ts";
import { refreshKeyring } from "../../core/repository/recovery-kit.ts";
import type { ActivityEnvironment } from "../environment.ts";

export const createRefreshRecoveryKit = ({ site }: ActivityEnvironment) => ({
  /** Brings the kit's copy of the keyring up to date. The kit's page and key were written by `dbgov keys`; no worker holds that key. */
  refreshRecoveryKit: async (): Promise<void> => {
    const at = await site();
    await refreshKeyring(at.loaded.config.recoveryKit, allEnvelopes(await at.catalog()));
  },
});
