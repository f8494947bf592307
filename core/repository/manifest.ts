import { hash, randomBytes } from "node:crypto";
import { Failure } from "../domain/failure.ts";
import type { Consistency, EngineName, Framing, StreamKind } from "../domain/snapshot.ts";
import { canonicalBytes, decodeBase64, encodeBase64, parseCanonical } from "./canonical-json.ts";
import { deriveKey } from "./derive.ts";
import { type Envelope, wrapKey } from "./envelopes.ts";
import type { Recipient, RepositoryKeys } from "./keys.ts";
import { formatVersion, refuseNewer } from "./repository-config.ts";
import { seal, unseal } from "./sealing.ts";
import { keyIdOf, type Signer, verifySignature } from "./signing.ts";

/** What a snapshot is. Sealed to the recipients. */
export interface Manifest {
  readonly version: 1;
  readonly snapshot: string;
  readonly database: string;
  readonly engine: EngineName;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** ISO 8601, UTC: when the consistent snapshot was taken. */
  readonly capturedAt: string;
  readonly consistency: Consistency;
  readonly serverVersion: string;
  readonly databaseName: string;
  readonly notes: readonly string[];
  /** Base64 of 32 bytes: with it a reader computes row digests without the dedup secret. */
  readonly digestKey: string;
  readonly streams: readonly ManifestStream[];
}

export interface ManifestStream {
  readonly name: string;
  readonly kind: StreamKind;
  readonly framing: Framing;
  /** What the engine needs to write the stream back. */
  readonly target: unknown;
  readonly rows: number;
  readonly bytes: number;
  readonly sum: string;
  /** In order: their contents, one after the other, are the stream. */
  readonly ranges: readonly { readonly id: string; readonly rows: number; readonly bytes: number; readonly sum: string }[];
}

/** What retention and an index need of a manifest. Sealed under the index key; opens no content. */
export interface ManifestIndex {
  readonly snapshot: string;
  readonly database: string;
  readonly engine: EngineName;
  readonly capturedAt: string;
  readonly rows: number;
  readonly bytes: number;
  readonly ranges: readonly string[];
  readonly packs: readonly string[];
}

const indexAad = (snapshot: string): Buffer => Buffer.from(`dbgov-1/manifest-index\0${snapshot}`, "utf8");
const contentAad = (snapshot: string, index: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`dbgov-1/manifest-content\0${snapshot}\0`, "utf8"), hash("sha256", index, "buffer")]);
const indexSubkey = (indexKey: Uint8Array): Uint8Array => deriveKey("dbgov-1/manifest-index", indexKey);
const signedBytes = (unsigned: Record<string, unknown>): Buffer =>
  Buffer.concat([Buffer.from("dbgov-1/manifest-signature\0", "utf8"), canonicalBytes(unsigned)]);

/** Tells altered bytes from a wrong key, for a reader that trusts no signer yet. */
const checksumOf = (unsigned: Record<string, unknown>): string => hash("sha256", canonicalBytes(unsigned), "hex");

/** Seals, wraps the key to the recipients and signs. `packs` are those that the ranges refer to; `hash` is SHA-256 of `bytes`. */
export const sealManifest = async (
  manifest: Manifest,
  options: {
    readonly recipients: readonly Recipient[];
    readonly keys: RepositoryKeys;
    readonly signer: Signer;
    readonly packs: readonly string[];
  },
): Promise<{ bytes: Uint8Array; hash: string; envelopes: Envelope[] }> => {
  const { snapshot, database, engine, capturedAt, streams } = manifest;
  const total = (pick: (stream: ManifestStream) => number) => streams.reduce((sum, stream) => sum + pick(stream), 0);
  const index: ManifestIndex = {
    snapshot,
    database,
    engine,
    capturedAt,
    rows: total((stream) => stream.rows),
    bytes: total((stream) => stream.bytes),
    ranges: [...new Set(streams.flatMap((stream) => stream.ranges.map((range) => range.id)))].sort(),
    packs: [...new Set(options.packs)].sort(),
  };
  const sealedIndex = seal(indexSubkey(options.keys.indexKey), indexAad(snapshot), canonicalBytes(index));
  const manifestKey = randomBytes(32);
  const sealedContent = seal(manifestKey, contentAad(snapshot, sealedIndex), canonicalBytes(manifest));
  const unsigned = {
    format: "dbgov-manifest",
    version: formatVersion,
    snapshot,
    signer: options.signer.keyId,
    index: encodeBase64(sealedIndex),
    content: encodeBase64(sealedContent),
  };
  const checked = { ...unsigned, checksum: checksumOf(unsigned) };
  const signature = encodeBase64(await options.signer.sign(signedBytes(checked)));
  const bytes = new Uint8Array(canonicalBytes({ ...checked, signature }));
  const envelopes = await wrapKey("manifest", snapshot, manifestKey, options.recipients);
  manifestKey.fill(0);
  return { bytes, hash: hash("sha256", bytes, "hex"), envelopes };
};

interface ManifestParts {
  readonly snapshot: string;
  readonly signer: string;
  readonly index: Buffer;
  readonly content: Buffer;
  readonly signature: Buffer;
  readonly unsigned: Record<string, unknown>;
}

const partsOf = (bytes: Uint8Array): ManifestParts => {
  const { signature: signatureText, ...unsigned } = parseCanonical(bytes, "a manifest");
  const { format, version, snapshot, signer } = unsigned;
  const what = `manifest ${typeof snapshot === "string" ? snapshot : "without a snapshot id"}`;
  if (format !== "dbgov-manifest") throw new Failure("ObjectCorrupt", `${what} is not a dbgov manifest`);
  refuseNewer(version, what);
  const index = decodeBase64(unsigned.index);
  const content = decodeBase64(unsigned.content);
  const signature = decodeBase64(signatureText, 64);
  if (typeof snapshot !== "string" || typeof signer !== "string" || !index || !content || !signature) {
    throw new Failure("ObjectCorrupt", `${what} lacks a part`);
  }
  const { checksum, ...checked } = unsigned;
  if (checksum !== checksumOf(checked)) throw new Failure("ObjectCorrupt", `${what} was altered: its checksum differs`);
  return { snapshot, signer, index, content, signature, unsigned };
};

/** What anybody can read of a manifest. Nothing of it is verified. */
export const readManifestHeader = (bytes: Uint8Array): { snapshot: string; signerKey: string } => {
  const { snapshot, signer } = partsOf(bytes);
  return { snapshot, signerKey: signer };
};

/** Throws `VerificationFailed` when none of the trusted keys (32 bytes each) is the signer's, `ObjectCorrupt` when the signature is not of these bytes. */
export const verifyManifest = (bytes: Uint8Array, trustedPublicKeys: readonly Uint8Array[]): void => {
  const { snapshot, signer, signature, unsigned } = partsOf(bytes);
  const key = trustedPublicKeys.find((candidate) => keyIdOf(candidate) === signer);
  if (key === undefined) throw new Failure("VerificationFailed", `manifest ${snapshot} is signed by key ${signer}, which is not trusted`);
  if (!verifySignature(key, signedBytes(unsigned), signature)) {
    throw new Failure("ObjectCorrupt", `manifest ${snapshot} is not what key ${signer} signed`);
  }
};

/** Throws `WrongKey`, `ObjectCorrupt`, `FormatUnsupported`. Says nothing about who signed it: see `verifyManifest`. */
export const openManifestIndex = (bytes: Uint8Array, indexKey: Uint8Array): ManifestIndex => {
  const { snapshot, index } = partsOf(bytes);
  const plain = unseal(indexSubkey(indexKey), indexAad(snapshot), index);
  if (plain === undefined) throw new Failure("WrongKey", `the index of manifest ${snapshot} does not open with this index key`);
  return parseCanonical(plain, `the index of manifest ${snapshot}`) as unknown as ManifestIndex;
};

/** Throws `WrongKey`, `ObjectCorrupt`, `FormatUnsupported`. Says nothing about who signed it: see `verifyManifest`. */
export const openManifest = (bytes: Uint8Array, manifestKey: Uint8Array): Manifest => {
  const { snapshot, index, content } = partsOf(bytes);
  const plain = unseal(manifestKey, contentAad(snapshot, index), content);
  if (plain === undefined) throw new Failure("WrongKey", `manifest ${snapshot} does not open with the key of its envelope`);
  const manifest = parseCanonical(plain, `manifest ${snapshot}`) as unknown as Manifest;
  refuseNewer(manifest.version, `manifest ${snapshot}`);
  return manifest;
};
