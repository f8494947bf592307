import { cancellationSignal, heartbeat } from "@temporalio/activity";
import { claimPacks } from "../../core/catalog/claim-packs.ts";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { packInfo } from "../../core/catalog/pack-info.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { releaseRanges } from "../../core/catalog/release-ranges.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { ByteCounts, RunPolicy } from "../../core/domain/run.ts";
import type { Consistency } from "../../core/domain/snapshot.ts";
import { ciphertextRoot } from "../../core/repository/ciphertext-root.ts";
import { digestKeyOf } from "../../core/repository/keys.ts";
import { type Manifest, readManifestHeader, sealManifest } from "../../core/repository/manifest.ts";
import { manifestKey } from "../../core/repository/object-keys.ts";
import { keyIdOf } from "../../core/repository/signing.ts";
import type { Site } from "../../core/site/site.ts";
import type { CapturedPart } from "../../core/snapshot/capture-batch.ts";
import type { CapturePlan } from "../../core/snapshot/capture-plan.ts";
import { manifestStreams } from "../../core/snapshot/manifest-streams.ts";
import { takenOverParts, takeoverKey, takeoverRecord } from "../../core/snapshot/takeover.ts";
import type { Store } from "../../core/stores/store.ts";
import type { ActivityEnvironment } from "../environment.ts";
import type { CapturedBatch } from "../snapshot/capture-batch.ts";
import { getPlan, getPlanObject, planPrefix, putPlanObject } from "../snapshot/plan-objects.ts";

export interface SealInput {
  readonly database: string;
  readonly policy: RunPolicy;
  readonly snapshot: string;
  readonly startedAt: string;
  readonly capturedAt: string;
  readonly consistency: Consistency;
  readonly serverVersion: string;
  readonly plan: string;
  /** Objects that tell what each batch captured, and what the batches counted. */
  readonly batches: readonly string[];
  readonly bytes: ByteCounts;
}

export const createSealSnapshot = ({ site }: ActivityEnvironment) => ({
  /**
   * Builds the manifest, seals and signs it, commits the snapshot to the catalog and writes the manifest to the landing
   * store. Two attempts at once seal two manifests; the one that was committed is the one that is written, by both.
   */
  sealSnapshot: async (input: SealInput): Promise<{ rows: number; manifestHash: string; signer: string }> => {
    const at = await site();
    const signal = cancellationSignal();
    const catalog = await at.catalog();
    const store = await at.store(input.policy.landing);
    const draftKey = (hash: string): string => `${planPrefix(input.snapshot)}manifest-${hash}`;

    if ((await getSnapshot(catalog, input.snapshot)) === undefined) {
      const { manifest, parts } = await buildManifest(input, at, signal);
      const packs = [...new Set(parts.flatMap((part) => part.packs))];
      const gone = await claimPacks(catalog, packs);
      if (gone.length > 0) {
        throw new Failure(
          "PacksReclaimed",
          `${gone.length} packs that ${input.snapshot} relies on were deleted before it was sealed, ${gone[0]} among them`,
        );
      }
      const ranges = [...new Map(parts.map((part) => [part.range, { id: part.range, packs: part.packs }])).values()];
      const sealed = await sealManifest(manifest, {
        recipients: await at.recipients(),
        keys: await at.repositoryKeys(),
        signer: await at.signer(),
        packs,
      });
      await store.put(draftKey(sealed.hash), sealed.bytes, signal);
      const commit = {
        snapshot: input.snapshot,
        database: input.database,
        engine: manifest.engine,
        policy: input.policy.name,
        startedAt: input.startedAt,
        capturedAt: input.capturedAt,
        consistency: input.consistency,
        rows: manifest.streams.reduce((sum, stream) => sum + stream.rows, 0),
        bytesRead: input.bytes.read,
        bytesNew: input.bytes.new,
        bytesStored: input.bytes.stored,
        manifestHash: sealed.hash,
        ciphertextRoot: ciphertextRoot(
          await packInfo(catalog, packs),
          ranges.map(({ id }) => id),
        ),
        ranges,
        envelopes: [...parts.flatMap((part) => part.envelopes), ...sealed.envelopes],
      };
      await commitSnapshot(catalog, commit).catch(async (error: unknown) => {
        // Another attempt's manifest was committed first, or this one's, and the answer was lost.
        if ((await getSnapshot(catalog, input.snapshot)) === undefined) throw error;
      });
    }

    const committed = await getSnapshot(catalog, input.snapshot);
    if (committed === undefined)
      throw new Failure("Unexpected", `snapshot ${input.snapshot} vanished from the catalog after it was committed`);
    const writeManifest = async (): Promise<Uint8Array> => {
      const bytes = await store.get(draftKey(committed.manifestHash), signal);
      await store.put(manifestKey(input.snapshot), bytes, signal);
      return bytes;
    };
    const [manifest] = await Promise.all([writeManifest(), leaveTakeover(input, at, signal)]);
    return { rows: committed.rows, manifestHash: committed.manifestHash, signer: await signerOf(at, manifest) };
  },
});

/** The public key that signed it, as hex: the present one, or where another attempt was faster than a rotation, one from before. */
const signerOf = async (at: Site, manifest: Uint8Array): Promise<string> => {
  const { signerKey } = readManifestHeader(manifest);
  const key = (await at.signingKeys()).find(({ publicKey }) => keyIdOf(publicKey) === signerKey);
  if (key !== undefined) return Buffer.from(key.publicKey).toString("hex");
  throw new Failure(
    "ConfigurationInvalid",
    `a manifest is signed by key ${signerKey}, which is neither keys.signingKey nor among keys.retired`,
  );
};

/** Writes down what the next snapshot may take over, and forgets what this one could have. */
const leaveTakeover = async (input: SealInput, at: Site, signal: AbortSignal): Promise<void> => {
  const store = await at.store(input.policy.landing);
  const { indexKey } = await at.repositoryKeys();
  const capture = await getPlan(store, indexKey, input.plan, signal);
  const { plan, takenOver, earlierSnapshot, sinceFull } = capture;
  // The snapshot that was just committed protects them from here on.
  const claimed = Object.values(takenOver).map(({ range }) => range);
  await releaseRanges(await at.catalog(), claimed);
  const record = takeoverRecord(input.snapshot, plan, await partsOf(capture, input, store, indexKey, signal), sinceFull);
  await putPlanObject(store, indexKey, takeoverKey(input.snapshot), record, signal);
  if (earlierSnapshot !== null) await store.delete(takeoverKey(earlierSnapshot), signal);
};

/** All parts of the snapshot: captured, or taken over. */
const partsOf = async (
  { takenOver }: CapturePlan,
  input: SealInput,
  store: Store,
  indexKey: Uint8Array,
  signal: AbortSignal,
): Promise<CapturedPart[]> => {
  const batches: CapturedBatch[] = [];
  for (const key of input.batches) {
    batches.push(await getPlanObject<CapturedBatch>(store, indexKey, key, signal));
    heartbeat({ current: "reading what was captured" });
  }
  return [...takenOverParts(takenOver), ...batches.flatMap((batch) => batch.parts)];
};

const buildManifest = async (input: SealInput, at: Site, signal: AbortSignal) => {
  const store = await at.store(input.policy.landing);
  const { indexKey, dedupSecret } = await at.repositoryKeys();
  const capture = await getPlan(store, indexKey, input.plan, signal);
  const { plan } = capture;
  const parts = await partsOf(capture, input, store, indexKey, signal);
  const manifest: Manifest = {
    version: 1,
    snapshot: input.snapshot,
    database: input.database,
    engine: at.database(input.database).engine,
    startedAt: input.startedAt,
    capturedAt: input.capturedAt,
    consistency: input.consistency,
    serverVersion: input.serverVersion,
    databaseName: plan.databaseName,
    notes: plan.notes,
    digestKey: Buffer.from(digestKeyOf(dedupSecret)).toString("base64"),
    streams: manifestStreams(plan, parts),
  };
  return { manifest, parts };
};
