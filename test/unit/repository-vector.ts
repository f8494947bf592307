import { createHash } from "node:crypto";
import type { Framing, RowDigest } from "../../core/domain/snapshot.ts";
import { encodeBase64 } from "../../core/repository/canonical-json.ts";
import { ciphertextRoot } from "../../core/repository/ciphertext-root.ts";
import { type Envelope, encodeEnvelopes } from "../../core/repository/envelopes.ts";
import { digestKeyOf, type RepositoryKeys } from "../../core/repository/keys.ts";
import { type ManifestStream, sealManifest } from "../../core/repository/manifest.ts";
import { configKey, envelopesKey, manifestKey, packKey, rangeKey } from "../../core/repository/object-keys.ts";
import { packRoot } from "../../core/repository/packs.ts";
import { sealRange } from "../../core/repository/ranges.ts";
import { encodeRepositoryConfig } from "../../core/repository/repository-config.ts";
import { addRowDigests, emptyRowDigest } from "../../core/repository/row-digest.ts";
import { signerFromSeed } from "../../core/repository/signing.ts";
import { memoryRepository, newRecipient, smallConfig } from "./repository-fixture.ts";

/** A whole repository with all its keys in one JSON: what `docs/format-vector.json` holds. */
export interface Vector {
  readonly about: string;
  readonly dedupSecret: string;
  readonly indexKey: string;
  readonly signingPublicKey: string;
  readonly recipientSecret: string;
  readonly snapshot: string;
  readonly ciphertextRoot: string;
  readonly streams: readonly (RowDigest & { name: string; sha256: string })[];
  /** Base64 by object key. */
  readonly objects: Record<string, string>;
}

export interface VectorStream {
  readonly name: string;
  readonly framing: Framing;
  readonly parts: readonly Uint8Array[];
}

/** Captures the streams into a repository of their own, one range a part. */
export const makeVector = async (about: string, keys: RepositoryKeys, streams: readonly VectorStream[]): Promise<Vector> => {
  const repository = memoryRepository(keys);
  const { recipient, secretText } = await newRecipient("reader");
  const signer = signerFromSeed("5eed".repeat(16));
  const objects: Record<string, string> = {};
  const put = (key: string, bytes: Uint8Array) => {
    objects[key] = encodeBase64(bytes);
  };
  const putEnvelopes = (object: string, envelopes: readonly Envelope[]) => put(envelopesKey(object), encodeEnvelopes(envelopes));
  const described: ManifestStream[] = [];
  for (const { name, framing, parts } of streams) {
    let digest = emptyRowDigest;
    const ranges: (RowDigest & { id: string })[] = [];
    for (const part of parts) {
      const { draft } = await repository.capture(framing, [part]);
      const range = await sealRange(draft, { recipients: [recipient], keys });
      put(rangeKey(range.id), range.bytes);
      putEnvelopes(range.id, range.envelopes);
      ranges.push({ id: range.id, ...draft.digest });
      digest = addRowDigests(digest, draft.digest);
    }
    described.push({ name, kind: framing === "opaque" ? "definition" : "rows", framing, target: { name }, ...digest, ranges });
  }
  const snapshot = "20261124T021500Z-5f3a9c01d2e4";
  const sealed = await sealManifest(
    {
      version: 1,
      snapshot,
      database: "shop",
      engine: "postgres",
      startedAt: "2026-11-24T02:15:00.000Z",
      capturedAt: "2026-11-24T02:15:01.000Z",
      consistency: "transactional",
      serverVersion: "18.1",
      databaseName: "shop",
      notes: ["ünïcode is kept"],
      digestKey: encodeBase64(digestKeyOf(keys.dedupSecret)),
      streams: described,
    },
    { recipients: [recipient], keys, signer, packs: [...repository.packs.keys()] },
  );
  put(configKey, encodeRepositoryConfig(smallConfig));
  put(manifestKey(snapshot), sealed.bytes);
  putEnvelopes(snapshot, sealed.envelopes);
  for (const [id, bytes] of repository.packs) put(packKey(id), bytes);
  return {
    about,
    dedupSecret: Buffer.from(keys.dedupSecret).toString("hex"),
    indexKey: Buffer.from(keys.indexKey).toString("hex"),
    signingPublicKey: encodeBase64(signer.publicKey),
    recipientSecret: secretText,
    snapshot,
    ciphertextRoot: ciphertextRoot(
      [...repository.packs].map(([id, bytes]) => ({ id, root: packRoot(bytes) })),
      described.flatMap((stream) => stream.ranges.map((range) => range.id)),
    ),
    streams: described.map(({ name, rows, bytes, sum }, n) => ({
      name,
      rows,
      bytes,
      sum,
      sha256: createHash("sha256").update(Buffer.concat(streams[n]!.parts)).digest("hex"),
    })),
    objects,
  };
};
