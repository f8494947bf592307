import { isFailure } from "../domain/failure.ts";
import { isSnapshotId } from "../domain/snapshot.ts";
import type { Envelope } from "../repository/envelopes.ts";
import { parseEnvelopes } from "../repository/envelopes.ts";
import type { Manifest } from "../repository/manifest.ts";
import { envelopesKey } from "../repository/object-keys.ts";
import type { RecoveryKit } from "../repository/recovery-kit.ts";
import { signingKeysFor } from "../repository/signing-keys.ts";
import type { Store } from "../stores/store.ts";
import { fetchManifest, type SnapshotAccess } from "./open-snapshot.ts";

/** The ids of all snapshots whose manifest is in a store, newest first. Nothing is opened. */
export const snapshotsInStore = async (store: Store, signal: AbortSignal): Promise<string[]> => {
  const ids: string[] = [];
  for await (const { key } of store.list("manifests/", signal)) {
    const id = key.slice("manifests/".length);
    if (isSnapshotId(id)) ids.push(id);
  }
  return ids.sort().reverse();
};

/** What of a kit opens snapshots. */
export type OpeningKit = Pick<RecoveryKit, "secret" | "signingKeys" | "envelopesOf">;

/** A snapshot opened with nothing but a store and a recovery kit, and what a restore of it needs. */
export const openWithKit = async (
  store: Store,
  kit: OpeningKit,
  snapshot: string,
  signal: AbortSignal,
): Promise<{ manifest: Manifest; access: SnapshotAccess }> => {
  const base = { snapshot, secret: kit.secret, signingKeys: signingKeysFor(snapshot, kit.signingKeys) };
  const envelopes: Record<string, readonly Envelope[]> = { [snapshot]: await envelopesFor(store, kit, snapshot, signal) };
  const manifest = await fetchManifest({ ...base, envelopes }, store, signal);
  for (const stream of manifest.streams) {
    for (const { id } of stream.ranges) envelopes[id] = await envelopesFor(store, kit, id, signal);
  }
  return { manifest, access: { ...base, envelopes } };
};

/** From the kit's keyring, or else from the store, where a policy put them there. None: the failure to open says so. */
const envelopesFor = async (store: Store, kit: OpeningKit, object: string, signal: AbortSignal): Promise<readonly Envelope[]> => {
  const kept = kit.envelopesOf(object);
  if (kept.length > 0) return kept;
  try {
    return parseEnvelopes(await store.get(envelopesKey(object), signal), object);
  } catch (error) {
    if (isFailure(error, "ObjectMissing")) return [];
    throw error;
  }
};
