import { hash } from "node:crypto";
import { type Catalog, query } from "../../catalog/catalog.ts";
import { commitSnapshot } from "../../catalog/commit-snapshot.ts";
import { markPackWritten } from "../../catalog/mark-pack-written.ts";
import { reachState } from "../../catalog/reach-state.ts";
import { recordReplicas } from "../../catalog/record-replica.ts";
import { registerPack } from "../../catalog/register-pack.ts";
import { registerRanges } from "../../catalog/register-ranges.ts";
import { Failure } from "../../domain/failure.ts";
import type { EngineName } from "../../domain/snapshot.ts";
import type { LogEntry } from "../../ledger/entries.ts";
import { ciphertextRoot } from "../../repository/ciphertext-root.ts";
import { type Envelope, parseEnvelopes } from "../../repository/envelopes.ts";
import type { RepositoryKeys } from "../../repository/keys.ts";
import { openManifestIndex, verifyManifest } from "../../repository/manifest.ts";
import { envelopesKey, manifestKey, packKey, rangeKey } from "../../repository/object-keys.ts";
import { openPackDirectory, packRoot, verifyPack } from "../../repository/packs.ts";
import { openRangeIndex, verifyRange } from "../../repository/ranges.ts";
import { type SigningKey, signingKeysFor } from "../../repository/signing-keys.ts";
import type { Site } from "../site.ts";
import type { KnownEntry } from "./read-log.ts";
import type { Survey } from "./survey-stores.ts";

type Sealed = Extract<LogEntry, { kind: "snapshot-sealed" }>;

export interface RebuildPlace {
  readonly site: Site;
  readonly catalog: Catalog;
  readonly survey: Survey;
  readonly keys: RepositoryKeys;
  readonly signingKeys: readonly SigningKey[];
  /** Of an object, in the recovery kit; empty when it has none. */
  keyring(object: string): readonly Envelope[];
}

/** Brings a live snapshot back: every pack and range of it is read and checked on the way. Throws what stands in the way. */
export const rebuildSnapshot = async (place: RebuildPlace, { entry, database }: KnownEntry): Promise<void> => {
  const { catalog, survey, keys, signingKeys } = place;
  const sealed = entry as Sealed;
  const { value: index } = await survey.read(manifestKey(sealed.snapshot), (bytes) => {
    verifyManifest(bytes, signingKeysFor(sealed.snapshot, signingKeys));
    if (hash("sha256", bytes, "hex") !== sealed.manifestHash)
      throw new Failure("ObjectCorrupt", `manifest ${sealed.snapshot} is not the one that the log has`);
    return openManifestIndex(bytes, keys.indexKey);
  });
  const roots: { id: string; root: string }[] = [];
  for (const id of index.packs) roots.push({ id, root: await rebuildPack(place, id) });
  if (ciphertextRoot(roots, index.ranges) !== sealed.ciphertextRoot)
    throw new Failure("ObjectCorrupt", `the packs and ranges of ${sealed.snapshot} are not those that the log has`);
  const ranges: { id: string; packs: readonly string[] }[] = [];
  const envelopes: Envelope[] = [...(await envelopesFor(place, sealed.snapshot))];
  for (const id of index.ranges) {
    const { value } = await survey.read(rangeKey(id), (bytes) => {
      verifyRange(bytes, id);
      return openRangeIndex(bytes, keys.indexKey);
    });
    ranges.push({ id, packs: value.packs });
    envelopes.push(...(await envelopesFor(place, id)));
  }
  const name = database ?? index.database;
  await commitSnapshot(catalog, { ...factsOf(place.site, sealed, name), ranges, envelopes });
  const objects = [...index.packs.map(packKey), ...index.ranges.map(rangeKey), manifestKey(sealed.snapshot)];
  const withEnvelopes = [...objects, ...[sealed.snapshot, ...index.ranges].map(envelopesKey)];
  await recordReplicas(
    catalog,
    withEnvelopes.flatMap((key) => survey.replicas.get(key) ?? []),
  );
};

/** A snapshot that was removed keeps its row. What stores still have of it is to go. */
export const rebuildRemoved = async ({ site, catalog, survey }: RebuildPlace, known: KnownEntry, removedAt: string): Promise<void> => {
  const sealed = known.entry as Sealed;
  const f = factsOf(site, sealed, known.database ?? "");
  await query(
    catalog,
    `rebuilding the row of ${sealed.snapshot}`,
    `INSERT INTO dbgov.snapshot (id, database, engine, policy, started_at, captured_at, consistency, rows, bytes_read, bytes_new,
       bytes_stored, manifest_hash, ciphertext_root, removed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, decode($12, 'hex'), decode($13, 'hex'), $14) ON CONFLICT DO NOTHING`,
    [
      ...[f.snapshot, f.database, f.engine, f.policy, f.startedAt, f.capturedAt, f.consistency, f.rows],
      ...[f.bytesRead, f.bytesNew, f.bytesStored, f.manifestHash, f.ciphertextRoot, removedAt],
    ],
  );
  await reachState(catalog, f.snapshot, "captured", { consistency: f.consistency, rows: f.rows }, f.capturedAt);
  await reachState(catalog, f.snapshot, "sealed", { manifestHash: f.manifestHash, ciphertextRoot: f.ciphertextRoot }, sealed.time);
  // What a store can never delete is no longer counted there.
  const forever = new Set(survey.stores.filter(({ capabilities }) => capabilities.deletion === "impossible").map(({ name }) => name));
  const left = [manifestKey(f.snapshot), envelopesKey(f.snapshot)].flatMap((key) => survey.replicas.get(key) ?? []);
  await recordReplicas(
    catalog,
    left.filter(({ store }) => !forever.has(store)),
  );
};

/** Objects that no live snapshot needs: known, so that retention finds and deletes them in its own time. Throws what is wrong with one. */
export const rebuildOrphan = async (place: RebuildPlace, kind: "pack" | "range", id: string): Promise<void> => {
  const { catalog, survey } = place;
  const key = kind === "pack" ? packKey(id) : rangeKey(id);
  const [replica] = survey.replicas.get(key) ?? [];
  if (replica === undefined) return;
  if (kind === "pack") await rebuildPack(place, id);
  else await registerRanges(catalog, replica.store, [{ id, bytes: replica.bytes }]);
  await recordReplicas(
    catalog,
    [key, envelopesKey(id)].flatMap((one) => survey.replicas.get(one) ?? []),
  );
};

const factsOf = (site: Site, sealed: Sealed, database: string) => ({
  snapshot: sealed.snapshot,
  database,
  engine: sealed.engine as EngineName,
  policy: site.loaded.config.databases.find(({ name }) => name === database)?.policy ?? "unknown",
  startedAt: sealed.startedAt ?? timeOfId(sealed.snapshot),
  capturedAt: sealed.capturedAt,
  consistency: sealed.consistency,
  rows: sealed.rows,
  bytesRead: sealed.bytes,
  bytesNew: sealed.bytesNew ?? 0,
  bytesStored: sealed.bytesStored ?? 0,
  manifestHash: sealed.manifestHash,
  ciphertextRoot: sealed.ciphertextRoot,
});

/** `20261124T021500Z-…` began then, to the second. */
const timeOfId = (id: string): string => id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, "$1-$2-$3T$4:$5:$6.000Z");

/** The pack's root; the catalog gets the pack with what its own directory says. */
const rebuildPack = async ({ catalog, survey, keys }: RebuildPlace, id: string): Promise<string> => {
  const [known] = await query<{ root: string }>(
    catalog,
    "looking for a pack",
    "SELECT encode(root, 'hex') AS root FROM dbgov.pack WHERE id = decode($1, 'hex') AND written_at IS NOT NULL",
    [id],
  );
  if (known !== undefined) return known.root;
  const { store, value } = await survey.read(packKey(id), (bytes) => {
    verifyPack(bytes, id);
    return { bytes: bytes.length, root: packRoot(bytes), chunks: openPackDirectory(bytes, keys.indexKey, id) };
  });
  await registerPack(catalog, { id, store, ...value });
  await markPackWritten(catalog, id);
  return value.root;
};

/** From the recovery kit, or from a store that a policy lets keep them. */
const envelopesFor = async ({ keyring, survey }: RebuildPlace, object: string): Promise<readonly Envelope[]> => {
  const kept = keyring(object);
  if (kept.length > 0 || !survey.replicas.has(envelopesKey(object))) return kept;
  return (await survey.read(envelopesKey(object), (bytes) => parseEnvelopes(bytes, object))).value;
};
