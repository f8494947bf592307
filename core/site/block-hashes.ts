import { listReplicas } from "../catalog/list-replicas.ts";
import { keepPackBlocks, packBlocks } from "../catalog/pack-blocks.ts";
import type { PackInfo } from "../catalog/records.ts";
import { storeTrust } from "../catalog/store-trust.ts";
import { isFailure } from "../domain/failure.ts";
import { inOrderOfTrust } from "../domain/store-trust.ts";
import { merkleRoot } from "../repository/merkle.ts";
import { packKey } from "../repository/object-keys.ts";
import { packBlockHashes } from "../repository/packs.ts";
import type { Site } from "./site.ts";

/**
 * The hashes of a pack's blocks, which hash to its root: as they were kept, or from a copy that is read whole once and never again. The
 * challenged store is asked for it only when no other has the pack. Undefined when no copy hashes to the root; throws the failure of a store
 * that could not be asked now when none of the others has a right copy: that says nothing about the challenged one.
 */
export const blockHashesOf = async (
  site: Site,
  { id, root }: PackInfo,
  challenged: string,
  signal: AbortSignal,
): Promise<readonly Uint8Array[] | undefined> => {
  const catalog = await site.catalog();
  const kept = await packBlocks(catalog, id);
  if (kept !== undefined && kept.length % 32 === 0) {
    const leaves = Array.from({ length: kept.length / 32 }, (_, at) => kept.subarray(at * 32, at * 32 + 32));
    if (merkleRoot(leaves).toString("hex") === root) return leaves;
  }
  let unasked: unknown;
  const recorded = (await listReplicas(catalog, [packKey(id)])).map(({ store }) => store);
  const holders = inOrderOfTrust(recorded, await storeTrust(catalog));
  for (const name of [...holders.filter((store) => store !== challenged), challenged]) {
    let bytes: Uint8Array;
    try {
      bytes = await (await site.store(name)).get(packKey(id), signal);
    } catch (error) {
      if (!isFailure(error) || signal.aborted) throw error;
      if (!isFailure(error, "ObjectMissing") && !isFailure(error, "ObjectCorrupt")) unasked = error;
      continue;
    }
    const leaves = packBlockHashes(bytes);
    if (merkleRoot(leaves).toString("hex") !== root) continue;
    await keepPackBlocks(catalog, id, Buffer.concat(leaves));
    return leaves;
  }
  if (unasked !== undefined) throw unasked;
  return undefined;
};
