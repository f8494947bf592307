import { announceReplica } from "../../core/catalog/announce-replica.ts";
import type { Catalog } from "../../core/catalog/catalog.ts";
import { endFindings, recordFindings } from "../../core/catalog/copy-findings.ts";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { loseReplica } from "../../core/catalog/lose-replica.ts";
import { type LostCopy, storesThatLost } from "../../core/catalog/lost-copies.ts";
import { markPackWritten } from "../../core/catalog/mark-pack-written.ts";
import { envelopesOf } from "../../core/catalog/read-envelopes.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { recordEvidence } from "../../core/catalog/record-challenges.ts";
import { type ReplicaFacts, recordReplica } from "../../core/catalog/record-replica.ts";
import { storeTrust } from "../../core/catalog/store-trust.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { inOrderOfTrust } from "../../core/domain/store-trust.ts";
import { encodeEnvelopes } from "../../core/repository/envelopes.ts";
import { partsOfKey } from "../../core/repository/object-keys.ts";
import type { Site } from "../../core/site/site.ts";
import { hashObject } from "../../core/stores/hash-object.ts";
import type { Store } from "../../core/stores/store.ts";
import { copyObject, getProven } from "./copy-object.ts";
import { packFromParity } from "./parity-sources.ts";
import { quarantine } from "./quarantine.ts";
import { recordSettled } from "./settle-copies.ts";

/** Where a good copy came from; or that nobody has one, or that a store which may have one could not be asked now. */
export type Replacement = { readonly from: string } | "nobody" | "unasked";

/**
 * Puts a good copy where one is missing or altered, from whatever store has one, those that are doubted last. Throws the failure of the
 * store that is to have it.
 */
export const replaceCopy = async (at: Site, { store, object }: LostCopy, signal: AbortSignal): Promise<Replacement> => {
  const catalog = await at.catalog();
  const { kind, id } = partsOfKey(object);
  const from = kind === "envelopes" ? await replaceEnvelopes(catalog, await at.store(store), object, id, signal) : await replaceBytes();
  if (from === "nobody" || from === "unasked") return from;
  if (kind === "packs") await findAgain(catalog, id);
  await endFindings(catalog, { store, object }, from.from);
  return from;

  async function replaceBytes(): Promise<Replacement> {
    const to = await at.store(store);
    // A manifest is not named by its hash: the catalog knows it.
    const expected = kind === "manifests" ? (await getSnapshot(catalog, id))?.manifestHash : undefined;
    // What a pass before this has put, and its network did not have yet, need not be sent again.
    if (to.settled !== undefined && (await goodCopy(catalog, [to], object, expected, signal)) === to)
      return await countAgain(catalog, to, object, signal);
    const trust = await storeTrust(catalog);
    const holders = (await listReplicas(catalog, [object])).map((replica) => replica.store).filter((holder) => holder !== store);
    // At last those whose copies were bad, this one among them: a disk that was brought back has what it had.
    const before = await storesThatLost(catalog, object);
    const names = [...inOrderOfTrust(holders, trust), ...inOrderOfTrust(before, trust)];
    const sources = await openable(at, names);
    const good = await goodCopy(catalog, sources, object, expected, signal);
    if (good === "unasked" || (good === "nobody" && sources.length < names.length)) return "unasked";
    if (good === "nobody") return kind === "packs" ? await rebuild(to) : "nobody";
    if (good === to) return await countAgain(catalog, to, object, signal);
    await clearPlace(at, to, object, signal);
    // Lost, it is written down already; if this run is killed behind the put, deleting the object still looks here.
    await announceReplica(catalog, object, store, 0);
    const { id: receipt, bytes, proven } = await copyObject({ sources: [good], to, key: object, expected, readBack: true }, signal);
    await recordWhenSettled(catalog, to, { object, store, receipt, bytes, provenAt: proven ? new Date() : null }, signal);
    return { from: good.name };
  }

  /** The last resort: what no store has any more may follow from parity. */
  async function rebuild(to: Store): Promise<Replacement> {
    const content = await packFromParity(at, id, signal);
    if (content === undefined) return "nobody";
    await clearPlace(at, to, object, signal);
    await announceReplica(catalog, object, store, content.length);
    const { id: receipt, bytes } = await to.put(object, content, signal);
    if ((await hashObject(to, object, bytes, signal)) !== id)
      throw new Failure("ObjectCorrupt", `store ${store} gave back other bytes for ${object} than it was given`);
    await recordWhenSettled(catalog, to, { object, store, receipt, bytes, provenAt: new Date() }, signal);
    return { from: "parity" };
  }
};

/** The copy was read, and is good by now. */
const countAgain = async (catalog: Catalog, store: Store, object: string, signal: AbortSignal): Promise<Replacement> => {
  const found = await store.stat(object, signal);
  if (found === undefined) return "nobody";
  const { receipt, bytes } = found;
  await recordWhenSettled(catalog, store, { object, store: store.name, receipt, bytes, provenAt: new Date() }, signal);
  return { from: store.name };
};

/** Throws `StoreUnsettled` where the store's network does not have it yet: until then it does not count, and stays lost. */
const recordWhenSettled = (catalog: Catalog, store: Store, copy: ReplicaFacts, signal: AbortSignal): Promise<void> =>
  recordSettled(catalog, store, [copy], { signal, onSettled: () => {} });

/** Captures may refer to it again, should nobody have had it meanwhile. */
const findAgain = async (catalog: Catalog, pack: string): Promise<void> => {
  try {
    await markPackWritten(catalog, pack);
  } catch (error) {
    // Retention has let it go beside this, and knows where it lies.
    if (!isFailure(error, "PacksReclaimed")) throw error;
  }
};

/** Those that can be opened here: a store that left the configuration, or whose secret this worker lacks, is no source. */
const openable = async (at: Site, names: readonly string[]): Promise<Store[]> => {
  const opened: Store[] = [];
  for (const name of names) {
    try {
      opened.push(await at.store(name));
    } catch (error) {
      if (!isFailure(error)) throw error;
    }
  }
  return opened;
};

/** A store may take an object of that name and size for the one that it is given: the bad one goes first. */
const clearPlace = async (at: Site, store: Store, object: string, signal: AbortSignal): Promise<void> => {
  await quarantine(at, store, object, signal);
  await store.delete(object, signal);
};

/** Envelopes are not named by what is in them: the keyring has the right ones, unless they were destroyed. */
const replaceEnvelopes = async (catalog: Catalog, to: Store, key: string, id: string, signal: AbortSignal): Promise<Replacement> => {
  const envelopes = await envelopesOf(catalog, id);
  if (envelopes.length === 0) return "nobody";
  const content = encodeEnvelopes(envelopes);
  // No quarantine: envelopes that nobody knows of would outlive their deletion.
  await to.delete(key, signal);
  await announceReplica(catalog, key, to.name, content.length);
  const { id: receipt, bytes } = await to.put(key, content, signal);
  await recordReplica(catalog, { object: key, store: to.name, receipt, bytes, provenAt: null });
  return { from: "the keyring" };
};

/** The first of the stores that has the object as it should be; otherwise whether one could not be asked. What is found bad on the way is noted. */
const goodCopy = async (
  catalog: Catalog,
  sources: readonly Store[],
  object: string,
  expected: string | undefined,
  signal: AbortSignal,
): Promise<Store | "nobody" | "unasked"> => {
  let verdict: "nobody" | "unasked" = "nobody";
  for (const source of sources) {
    try {
      await getProven(source, object, signal, expected);
      return source;
    } catch (error) {
      signal.throwIfAborted();
      if (!isFailure(error)) throw error;
      if (isFailure(error, "ObjectMissing") || isFailure(error, "ObjectCorrupt")) await noteBad(catalog, source.name, object, error);
      else verdict = "unasked";
    }
  }
  return verdict;
};

/** A copy that was to be the source is bad, too. */
const noteBad = async (catalog: Catalog, store: string, object: string, { type, message }: Failure): Promise<void> => {
  const counted = (await listReplicas(catalog, [object])).some((replica) => replica.store === store);
  if (!counted || !(await loseReplica(catalog, object, store))) return;
  const kind = type === "ObjectMissing" ? "missing" : "changed";
  await recordFindings(catalog, [{ store, object, kind, message }], new Date());
  await recordEvidence(catalog, store, new Map([[kind, 1]]));
};
