import { type Catalog, transaction } from "./catalog.ts";
import { condemnPacks, condemnRanges } from "./condemn.ts";
import { deleteEnvelopes } from "./destroy-envelopes.ts";
import { lockReferences } from "./locks.ts";
import type { Instant, Reclaimed } from "./records.ts";

/**
 * Condemns every pack and range that no live snapshot refers to and no running capture has claimed: what failed runs
 * left behind, among it packs that were registered and never written. Envelopes of such ranges are destroyed.
 */
export const condemnUnreferenced = async (catalog: Catalog, at: Instant): Promise<Reclaimed> =>
  await transaction(catalog, "condemning what nobody refers to", async (db) => {
    await lockReferences(db, "alone");
    const { ranges } = await condemnRanges(db, at);
    const packs = await condemnPacks(db, at);
    return { snapshots: [], envelopes: await deleteEnvelopes(db, ranges), ranges, packs };
  });
