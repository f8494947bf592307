import { hash } from "node:crypto";
import { Failure, type FailureType, isFailure } from "../domain/failure.ts";
import { type Envelope, unwrapKey } from "../repository/envelopes.ts";
import type { RecipientSecret } from "../repository/keys.ts";
import { type Manifest, openManifest, readManifestHeader, verifyManifest } from "../repository/manifest.ts";
import { manifestKey, rangeKey } from "../repository/object-keys.ts";
import { type OpenRange, openRange, verifyRange } from "../repository/ranges.ts";
import type { Store } from "../stores/store.ts";

/** Everything that is needed to open one snapshot. Plain data, so that it can cross into a job thread. */
export interface SnapshotAccess {
  readonly snapshot: string;
  readonly secret: RecipientSecret;
  /** Ed25519 public keys whose signature on a manifest is believed. */
  readonly signingKeys: readonly Uint8Array[];
  /** SHA-256 of the manifest, where something else than the store says it: then no key, not even one that is in other hands now, can put another in its place. */
  readonly manifestHash?: string;
  /** By object: the manifest's under the snapshot's id, a range's under the range's. */
  readonly envelopes: Readonly<Record<string, readonly Envelope[]>>;
}

/** `VerificationFailed`: the store's manifest is signed by a stranger. */
const passedOver: readonly FailureType[] = [
  "ObjectArchived",
  "ObjectMissing",
  "ObjectCorrupt",
  "StoreUnreachable",
  "StoreRejected",
  "VerificationFailed",
];

/** Whether another copy may serve where this one did not. */
export const isDamage = (error: unknown): error is Failure => error instanceof Failure && passedOver.includes(error.type);

/**
 * Tries the stores in order until one serves `use` well: a copy that is missing, altered or out of reach is no reason
 * to fail while another is good. `onDamage` hears of each that was passed over.
 */
export const fromAnyStore = async <T>(
  stores: readonly Store[],
  use: (store: Store) => Promise<T>,
  onDamage: (store: Store, failure: Failure) => void,
): Promise<T> => {
  let last: Failure | undefined;
  let archived: Failure | undefined;
  for (const store of stores) {
    try {
      return await use(store);
    } catch (error) {
      if (!isDamage(error)) throw error;
      last = error;
      // Where nobody else has it, this is what can be helped.
      if (isFailure(error, "ObjectArchived")) archived ??= error;
      onDamage(store, last);
    }
  }
  throw archived ?? last ?? new Failure("ConfigurationInvalid", "no store is configured to read from");
};

/** The manifest, its signature checked and its content opened. */
export const fetchManifest = async (access: SnapshotAccess, store: Store, signal: AbortSignal): Promise<Manifest> => {
  const bytes = await store.get(manifestKey(access.snapshot), signal);
  try {
    verifyManifest(bytes, access.signingKeys);
  } catch (error) {
    // What is not even JSON does not say which one it is.
    if (!isFailure(error) || error.message.includes(access.snapshot)) throw error;
    throw new Failure(error.type, `${manifestKey(access.snapshot)} in store ${store.name}: ${error.message}`, { cause: error.cause });
  }
  const { snapshot } = readManifestHeader(bytes);
  if (snapshot !== access.snapshot) {
    throw new Failure("ObjectCorrupt", `${manifestKey(access.snapshot)} in store ${store.name} is the manifest of ${snapshot}`);
  }
  if (access.manifestHash !== undefined && hash("sha256", bytes, "hex") !== access.manifestHash)
    throw new Failure("ObjectCorrupt", `${manifestKey(access.snapshot)} in store ${store.name} is not the manifest that was sealed`);
  const key = await unwrapKey(envelopesOf(access, access.snapshot, "manifest"), access.secret);
  return openManifest(bytes, key);
};

export const fetchRange = async (access: SnapshotAccess, range: string, store: Store, signal: AbortSignal): Promise<OpenRange> => {
  const bytes = await store.get(rangeKey(range), signal);
  verifyRange(bytes, range);
  const key = await unwrapKey(envelopesOf(access, range, "range"), access.secret);
  return openRange(bytes, key);
};

const envelopesOf = (access: SnapshotAccess, object: string, kind: string): readonly Envelope[] => {
  const found = access.envelopes[object];
  if (found === undefined || found.length === 0) {
    throw new Failure("EnvelopeMissing", `the keyring has no envelope for the ${kind} ${object}, so no key can open it`);
  }
  return found;
};
