import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Catalog } from "../catalog/catalog.ts";
import { allEnvelopes } from "../catalog/read-envelopes.ts";

/** How many of the catalog's envelopes the recovery kit's keyring file lacks. */
export const missingFromKeyring = async (catalog: Catalog, keyring: string): Promise<number> => {
  const kept = new Set<string>();
  for await (const line of createInterface({ input: createReadStream(keyring), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === "") continue;
    const { object, recipient } = JSON.parse(line) as { object?: string; recipient?: string };
    kept.add(`${object}/${recipient}`);
  }
  let missing = 0;
  for await (const { object, recipient } of allEnvelopes(catalog)) if (!kept.has(`${object}/${recipient}`)) missing += 1;
  return missing;
};
