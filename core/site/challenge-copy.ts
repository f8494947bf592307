import { hash, randomInt } from "node:crypto";
import type { DueCopy } from "../catalog/due-copies.ts";
import { envelopesOf } from "../catalog/read-envelopes.ts";
import { getSnapshot } from "../catalog/read-snapshots.ts";
import type { PackInfo } from "../catalog/records.ts";
import { isFailure } from "../domain/failure.ts";
import type { FindingKind } from "../domain/store-trust.ts";
import { encodeEnvelopes } from "../repository/envelopes.ts";
import { merklePath } from "../repository/merkle.ts";
import { hashInName, partsOfKey } from "../repository/object-keys.ts";
import { packBlockBytes } from "../repository/pack-layout.ts";
import { verifyPackBlock } from "../repository/packs.ts";
import { hashObject } from "../stores/hash-object.ts";
import type { Store, StoredObject } from "../stores/store.ts";
import { blockHashesOf } from "./block-hashes.ts";
import type { Site } from "./site.ts";

/** What one copy showed of itself. Without a problem, everything that was asked for was right. */
export interface CopyAnswer {
  /** Blocks of a pack, or one for an object that was read whole. */
  readonly blocks: number;
  /** It lies where nothing can be read, and only showed that it is there. Absent: it can be read. */
  readonly offline?: true;
  readonly problem?: { readonly kind: FindingKind; readonly message: string };
}

/** A copy, and what the catalog knows of it where it is a pack. */
export interface ChallengedCopy extends DueCopy {
  readonly pack: PackInfo | undefined;
}

/**
 * Has a store show random blocks of a pack, which are proven against the pack's Merkle root; smaller objects are read whole, and compared with
 * the hash that they are known by. What lies in an archive tier is only looked at. Undefined where nothing can be said: an object that is not needed any more.
 * Throws the failure of a store that does not answer.
 */
export const challengeCopy = async (
  site: Site,
  store: Store,
  copy: ChallengedCopy,
  blocks: number,
  signal: AbortSignal,
): Promise<CopyAnswer | undefined> => {
  const { object, bytes, pack } = copy;
  try {
    const found = await store.stat(object, signal);
    if (found === undefined)
      return { blocks: 0, problem: { kind: "missing", message: `${object} is not in store ${store.name} any more` } };
    if (found.offline !== undefined) return lookAt(store, copy, found);
    if (pack !== undefined && store.capabilities.rangedReads)
      return await challengePack(site, store, object, pack, found.bytes, blocks, signal);
    const expected = await hashOf(site, object);
    if (expected === undefined) return undefined;
    return await challengeWhole(store, object, { expected, found: found.bytes, written: bytes }, signal);
  } catch (error) {
    const problem = problemOf(error, store.name, object);
    if (problem === undefined) throw error;
    return { blocks: 0, problem };
  }
};

/** Without reading: the size, and the ETag that every write changes, or else the MD5 that the service keeps. That is less than a proof. */
const lookAt = (store: Store, { object, bytes, receipt, md5 }: ChallengedCopy, found: StoredObject): CopyAnswer => {
  const answer = { blocks: 0, offline: true } as const;
  if (found.bytes !== bytes) return { ...answer, problem: wrongLength(object, store, found.bytes, bytes) };
  if (found.receipt === receipt || (md5 !== null && found.md5 === md5)) return answer;
  if (md5 !== null && found.md5 !== undefined) return { ...answer, problem: changed(object, store, "by the MD5 that the service keeps") };
  const message = `${object} in store ${store.name} has another ETag than it was written with, and cannot be read in the archive tier`;
  return { ...answer, problem: { kind: "refused", message } };
};

/** What the store says of itself by failing in this way about this object. */
const problemOf = (error: unknown, store: string, object: string): CopyAnswer["problem"] => {
  if (isFailure(error, "ObjectMissing"))
    return { kind: "missing", message: `${object} is listed in store ${store}, and cannot be read: ${error.message}` };
  if (isFailure(error, "ObjectCorrupt")) return { kind: "changed", message: error.message };
  return undefined;
};

const challengePack = async (
  site: Site,
  store: Store,
  object: string,
  pack: PackInfo,
  found: number,
  blocks: number,
  signal: AbortSignal,
): Promise<CopyAnswer | undefined> => {
  if (found !== pack.bytes) return { blocks: 0, problem: wrongLength(object, store, found, pack.bytes) };
  const count = Math.ceil(pack.bytes / packBlockBytes);
  // The root of a single block is its own hash: it needs no siblings.
  const leaves = count === 1 ? [Buffer.from(pack.root, "hex")] : await leavesOf(site, pack, store, signal);
  if (leaves === "unknown") return await challengeWhole(store, object, { expected: pack.id, found, written: pack.bytes }, signal);
  // No copy anywhere hashes to the root, the challenged one among them, which was read whole for that.
  if (leaves === undefined) return { blocks: 0, problem: changed(object, store, "as a whole") };
  const right = async (block: number): Promise<boolean> => {
    const offset = block * packBlockBytes;
    const content = await store.get(object, signal, { offset, length: Math.min(packBlockBytes, pack.bytes - offset) });
    const proof = merklePath(leaves, block).map((node) => node.toString("hex"));
    return verifyPackBlock(pack.root, pack.bytes, block, content, proof);
  };
  const chosen = chooseRandomly(count, blocks);
  for (const block of chosen) {
    if (await right(block)) continue;
    return { blocks: chosen.length, problem: await again(() => right(block), object, store, `in block ${block}`) };
  }
  return { blocks: chosen.length };
};

/** A store that others' copies cannot be read from now says nothing about the challenged one, which is then read whole instead. */
const leavesOf = async (
  site: Site,
  pack: PackInfo,
  store: Store,
  signal: AbortSignal,
): Promise<readonly Uint8Array[] | undefined | "unknown"> => {
  try {
    return await blockHashesOf(site, pack, store.name, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (isFailure(error)) return "unknown";
    throw error;
  }
};

const challengeWhole = async (
  store: Store,
  object: string,
  { expected, found, written }: { readonly expected: string; readonly found: number; readonly written: number },
  signal: AbortSignal,
): Promise<CopyAnswer> => {
  const right = async (): Promise<boolean> => (await hashObject(store, object, found, signal)) === expected;
  if (await right()) return { blocks: 1 };
  if (found !== written) return { blocks: 1, problem: wrongLength(object, store, found, written) };
  return { blocks: 1, problem: await again(right, object, store, "as a whole") };
};

/** Who answers rightly when asked again has the object, and gave other bytes before: that is another thing than an object that was changed. */
const again = async (right: () => Promise<boolean>, object: string, store: Store, where: string): Promise<CopyAnswer["problem"] & {}> =>
  (await right())
    ? { kind: "unsteady", message: `store ${store.name} gave other bytes for ${object} ${where} than a moment later, when they were right` }
    : changed(object, store, where);

const changed = (object: string, store: Store, where: string) => ({
  kind: "changed" as const,
  message: `${object} in store ${store.name} is not what was written there, ${where}`,
});

const wrongLength = (object: string, store: Store, found: number, right: number) => ({
  kind: "length" as const,
  message: `${object} in store ${store.name} has ${found} bytes, and was written with ${right}`,
});

/** So many different numbers below `count`, in order, that nobody can foresee. */
const chooseRandomly = (count: number, blocks: number): number[] => {
  if (blocks >= count) return Array.from({ length: count }, (_, block) => block);
  const chosen = new Set<number>();
  while (chosen.size < blocks) chosen.add(randomInt(count));
  return [...chosen].sort((a, b) => a - b);
};

/** The SHA-256 that an object is known by. Undefined for one that the catalog does not know, or no longer. */
const hashOf = async (site: Site, object: string): Promise<string | undefined> => {
  const catalog = await site.catalog();
  const { kind, id } = partsOfKey(object);
  if (kind === "manifests") {
    const snapshot = await getSnapshot(catalog, id);
    return snapshot === undefined || snapshot.removedAt !== null ? undefined : snapshot.manifestHash;
  }
  if (kind !== "envelopes") return hashInName(object);
  const envelopes = await envelopesOf(catalog, id);
  return envelopes.length === 0 ? undefined : hash("sha256", encodeEnvelopes(envelopes), "hex");
};
