import { writeRecoveryKit } from "../repository/recovery-kit.ts";
import { addressOf } from "../stores/store-address.ts";
import { refreshKeyrings } from "./refresh-keyrings.ts";
import type { Site } from "./site.ts";

/** Writes the recovery kit: the page to print, the recovery key, the stores' addresses, and the keyring as it is now. `signal` ends the wait for a run that refreshes it. */
export const writeKit = async (site: Site, now: Date, signal: AbortSignal): Promise<void> => {
  const { config } = site.loaded;
  const { text } = await site.recipientSecret();
  const stores = await Promise.all(
    config.stores.map(async ({ name, kind }) => ({ name, kind, address: addressOf(await site.storeConfig(name)) })),
  );
  const content = {
    organization: config.organization,
    generatedAt: now.toISOString(),
    secretText: text,
    stores,
    signingKeys: await site.signingKeys(),
    log: { origin: config.log.origin, publicKey: (await site.logSigner()).publicKey },
  };
  await refreshKeyrings(site, signal);
  await writeRecoveryKit(config.recoveryKit, content);
};
