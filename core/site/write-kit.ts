import { allEnvelopes } from "../catalog/read-envelopes.ts";
import { writeRecoveryKit } from "../repository/recovery-kit.ts";
import { addressOf } from "../stores/store-address.ts";
import type { Site } from "./site.ts";

/** Writes the recovery kit: the page to print, the recovery key, the stores' addresses, and the keyring as it is now. */
export const writeKit = async (site: Site, now: Date): Promise<void> => {
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
  await writeRecoveryKit(config.recoveryKit, content, allEnvelopes(await site.catalog()));
};
