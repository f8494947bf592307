import { randomBytes } from "node:crypto";
import { loseReplica } from "../catalog/lose-replica.ts";
import { markPacksLost } from "../catalog/mark-packs-lost.ts";
import { newestAnchor } from "../catalog/newest-anchor.ts";
import { findLogEntry } from "../catalog/read-log-entries.ts";
import { getSnapshot } from "../catalog/read-snapshots.ts";
import { snapshotObjects } from "../catalog/snapshot-objects.ts";
import { withdrawState } from "../catalog/withdraw-state.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import { openLog } from "../ledger/log.ts";
import type { LogEntry } from "../ledger/verify/entry.ts";
import { chooseBlocks } from "../repository/challenge.ts";
import { ciphertextRoot } from "../repository/ciphertext-root.ts";
import { merklePath } from "../repository/merkle.ts";
import { packKey } from "../repository/object-keys.ts";
import { packBlockBytes } from "../repository/pack-layout.ts";
import { verifyPackBlock } from "../repository/packs.ts";
import type { Store } from "../stores/store.ts";
import { appendEvents } from "./append-events.ts";
import { blockHashesOf } from "./block-hashes.ts";
import type { Site } from "./site.ts";

/** One block as the challenged store gave it. */
export interface ChallengedBlock {
  readonly pack: string;
  readonly block: number;
  readonly content: Uint8Array | undefined;
  /** From the block up to the pack's root, as hex. */
  readonly proof: readonly string[];
  /** Why it is not proven. */
  readonly problem?: string;
}

export interface Challenge {
  readonly snapshot: string;
  readonly store: string;
  readonly chosenBy: { readonly size: number; readonly root: string; readonly chainId: number; readonly blockHash: string };
  /** What the logged ciphertext root is over. */
  readonly ciphertextRoot: string;
  readonly packs: readonly { readonly id: string; readonly root: string; readonly bytes: number }[];
  readonly ranges: readonly string[];
  readonly blocks: readonly ChallengedBlock[];
  /** Where the result is in the log. */
  readonly index: number;
}

type Sealed = LogEntry & { readonly kind: "snapshot-sealed" };

/**
 * Reads blocks that public randomness chooses, and only those, from one store, and proves them against what the log says of the snapshot. The result is
 * logged, whatever it is; a copy that is found bad stops counting. Throws what keeps it from asking: no anchor, a store without ranged reads, or
 * a catalog whose packs are not those of the log.
 */
export const challengeStore = async (
  site: Site,
  { snapshot, store: name, blocks: count }: { readonly snapshot: string; readonly store: string; readonly blocks: number },
  signal: AbortSignal,
  onHealed: (keys: readonly string[]) => void,
): Promise<Challenge> => {
  const catalog = await site.catalog();
  const store = await site.store(name);
  if (!store.capabilities.rangedReads) {
    throw new Failure(
      "UsageInvalid",
      `store ${name} gives no parts of an object, so a single block cannot be asked of it; dbgov verify reads all`,
    );
  }
  const { database, entry, index } = await sealedEntry(site, snapshot, signal);
  const chosenBy = await newestAnchor(catalog, index);
  if (chosenBy === undefined) {
    throw new Failure(
      "UsageInvalid",
      `no final anchor covers snapshot ${snapshot} yet: the blocks are chosen by the anchoring block's hash, so wait for it`,
    );
  }
  const { packs, ranges } = await snapshotObjects(catalog, snapshot);
  if (ciphertextRoot(packs, ranges) !== entry.ciphertextRoot) {
    throw new Failure(
      "VerificationFailed",
      `the packs and ranges of snapshot ${snapshot} in the catalog do not hash to the root that the log has`,
    );
  }
  if (packs.length === 0) throw new Failure("UsageInvalid", `snapshot ${snapshot} has no packs to choose blocks from`);
  const blocks: ChallengedBlock[] = [];
  for (const [id, chosen] of Map.groupBy(chooseBlocks(snapshot, chosenBy, packs, count), ({ pack }) => pack)) {
    const pack = packs.find((one) => one.id === id)!;
    const leaves = await blockHashesOf(site, pack, name, signal);
    for (const { block } of chosen) blocks.push(await askBlock(store, pack, block, leaves, signal));
  }
  const bad = [...new Set(blocks.filter(({ problem }) => problem !== undefined).map(({ pack }) => pack))];
  for (const pack of bad) await loseReplica(catalog, packKey(pack), name);
  if (bad.length > 0) {
    await withdrawState(catalog, snapshot, "verified");
    await markPacksLost(catalog, bad);
  }
  const proven = blocks.filter(({ problem }) => problem === undefined).length;
  const { manifestHash } = entry;
  const { size, chainId, blockHash } = chosenBy;
  const body = {
    ...({ kind: "challenged", time: new Date().toISOString(), database: entry.database, snapshot, manifestHash } as const),
    ...{ store: name, blocks: blocks.length, proven, size, chainId, blockHash },
  };
  const identity = `challenged/${snapshot}/${randomBytes(8).toString("hex")}`;
  const [logged] = await appendEvents(site, [{ identity, database, body }], signal, onHealed);
  return { snapshot, store: name, chosenBy, ciphertextRoot: entry.ciphertextRoot, packs, ranges, blocks, index: logged!.index };
};

/** What the log itself says of the snapshot, not the catalog. */
const sealedEntry = async (
  site: Site,
  snapshot: string,
  signal: AbortSignal,
): Promise<{ database: string; entry: Sealed; index: number }> => {
  const catalog = await site.catalog();
  const record = await getSnapshot(catalog, snapshot);
  if (record === undefined || record.removedAt !== null)
    throw new Failure("SnapshotUnknown", `snapshot ${snapshot} is not in the catalog, or was removed`);
  const place = await findLogEntry(catalog, `snapshot-sealed/${snapshot}`);
  if (place === undefined) throw new Failure("SnapshotUnknown", `snapshot ${snapshot} is not in the log: its run did not get that far`);
  const { origin, store } = site.loaded.config.log;
  const log = await openLog({ store: await site.store(store), origin, signer: await site.logSigner(), signal, unpublished: true });
  const { entry, index } = await log.entry(place.index);
  if (entry.kind === "snapshot-sealed" && entry.snapshot === snapshot) return { database: record.database, entry, index };
  throw new Failure(
    "LedgerCorrupt",
    `entry ${index} of the log ${origin} is not the sealing of snapshot ${snapshot} that the catalog has recorded there`,
  );
};

const askBlock = async (
  store: Store,
  { id: pack, root, bytes }: { readonly id: string; readonly root: string; readonly bytes: number },
  block: number,
  leaves: readonly Uint8Array[] | undefined,
  signal: AbortSignal,
): Promise<ChallengedBlock> => {
  const offset = block * packBlockBytes;
  let content: Uint8Array;
  try {
    content = await store.get(packKey(pack), signal, { offset, length: Math.min(packBlockBytes, bytes - offset) });
  } catch (error) {
    if (!isFailure(error, "ObjectMissing") && !isFailure(error, "ObjectCorrupt")) throw error;
    return { pack, block, content: undefined, proof: [], problem: error.message };
  }
  if (leaves === undefined)
    return { pack, block, content, proof: [], problem: `no copy of pack ${pack} hashes to its root, so nothing proves the block` };
  const proof = merklePath(leaves, block).map((node) => node.toString("hex"));
  const right = verifyPackBlock(root, bytes, block, content, proof);
  return {
    pack,
    block,
    content,
    proof,
    ...(right ? {} : { problem: `block ${block} of pack ${pack} in store ${store.name} is not what was written` }),
  };
};
