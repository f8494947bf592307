import { hash } from "node:crypto";
import { envelopesOf } from "../catalog/read-envelopes.ts";
import { Failure } from "../domain/failure.ts";
import type { ProofBundle } from "../ledger/verify/audit.ts";
import { encodeBase64 } from "../repository/canonical-json.ts";
import { unwrapKey, wrapKey } from "../repository/envelopes.ts";
import type { Recipient } from "../repository/keys.ts";
import { manifestKey } from "../repository/object-keys.ts";
import { fromAnyStore } from "../snapshot/open-snapshot.ts";
import { openStore } from "../stores/stores.ts";
import { restoreSources } from "./restore-sources.ts";
import type { Site } from "./site.ts";

/** A bundle with it is still one that a verifier reads. */
const largestManifest = 4 * 1024 * 1024;

/**
 * The manifest of the bundle's snapshot, as it is stored, and its key wrapped to one more recipient: who has that one's secret key reads what the snapshot is, streams, counts and digests, and
 * can open no content, whose keys are others. Throws what opening throws, and `UsageInvalid` when the manifest is too large for a bundle.
 */
export const discloseManifest = async (
  site: Site,
  { entry, database }: ProofBundle,
  recipient: Recipient,
  signal: AbortSignal,
): Promise<NonNullable<ProofBundle["manifest"]>> => {
  if (entry.kind !== "snapshot-sealed" || database === undefined)
    throw new Failure("UsageInvalid", "only the bundle of a snapshot has a manifest to be opened");
  const { snapshot, manifestHash } = entry;
  const { access, stores } = await restoreSources(site, snapshot, database.name);
  const opened = stores.map((config) => openStore(config));
  try {
    const content = await fromAnyStore(
      await Promise.all(opened),
      async (store) => {
        const bytes = await store.get(manifestKey(snapshot), signal);
        if (hash("sha256", bytes, "hex") === manifestHash) return bytes;
        throw new Failure("ObjectCorrupt", `${manifestKey(snapshot)} in store ${store.name} is not the one that the log has`);
      },
      () => {},
    );
    if (content.length > largestManifest) {
      throw new Failure("UsageInvalid", `the manifest of ${snapshot} has ${content.length} bytes, and a bundle takes ${largestManifest}`);
    }
    const key = await unwrapKey(await envelopesOf(await site.catalog(), snapshot), access.secret);
    const [envelope] = await wrapKey("manifest", snapshot, key, [recipient]);
    key.fill(0);
    const { recipient: id, kem, wrapped } = envelope!;
    return { content: encodeBase64(content), envelope: { recipient: id, kem, wrapped } };
  } finally {
    for (const store of await Promise.all(opened)) await store.close();
  }
};
