import type { Catalog } from "../catalog/catalog.ts";
import { databasesWithEnvelopes, envelopesOfDatabase } from "../catalog/read-envelopes.ts";
import { readKeyringOf } from "../repository/keyring.ts";

/** How many of the envelopes that live snapshots need the keyring of the kit in this folder lacks. Throws what `readKeyringOf` throws. */
export const missingFromKeyring = async (catalog: Catalog, kit: string): Promise<number> => {
  let missing = 0;
  for (const database of await databasesWithEnvelopes(catalog)) {
    const kept = new Set((await readKeyringOf(kit, database)).map(({ object, recipient }) => `${object}/${recipient}`));
    for await (const { object, recipient } of envelopesOfDatabase(catalog, database)) if (!kept.has(`${object}/${recipient}`)) missing += 1;
  }
  return missing;
};
