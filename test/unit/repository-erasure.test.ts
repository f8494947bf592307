import assert from "node:assert/strict";
import { createHmac, hash, hkdfSync, randomBytes } from "node:crypto";
import { test } from "node:test";
import { isFailure } from "../../core/domain/failure.ts";
import { encodeBase64 } from "../../core/repository/canonical-json.ts";
import { deriveKey } from "../../core/repository/derive.ts";
import { unwrapKey } from "../../core/repository/envelopes.ts";
import { digestKeyOf } from "../../core/repository/keys.ts";
import { type Manifest, openManifest, sealManifest } from "../../core/repository/manifest.ts";
import { openRange, openRangeIndex, sealRange } from "../../core/repository/ranges.ts";
import { readRange } from "../../core/repository/read-range.ts";
import { openChunk } from "../../core/repository/sealed-chunk.ts";
import { signerFromSeed } from "../../core/repository/signing.ts";
import { collect, memoryRepository, newRecipient, tableText } from "./repository-fixture.ts";

/**
 * Destroying envelopes is the deletion. The test hands somebody everything but the envelopes of what was deleted: the recipient's own
 * secret key, every secret of the workers, every pack, range and manifest, and the envelopes and range keys of what lives on.
 */
test("without its envelopes, a snapshot opens for nobody, not even for who has the recipient's key and all that was stored", async () => {
  const anna = await newRecipient("anna");
  const repository = memoryRepository();
  const { keys, packs, read } = repository;
  const seed = randomBytes(32);
  const signer = signerFromSeed(seed.toString("hex"));
  const marker = "0000-somebody-who-asked-to-be-forgotten";
  const capture = async (content: Buffer, name: string) => {
    const { draft } = await repository.capture("lines", [content]);
    const range = await sealRange(draft, { recipients: [anna.recipient], keys });
    const described = {
      ...{ version: 1, snapshot: "20261124T021500Z-5f3a9c01d2e4", database: "shop", engine: "postgres" },
      digestKey: encodeBase64(digestKeyOf(keys.dedupSecret)),
      streams: [{ name, ...draft.digest, ranges: [{ id: range.id }] }],
    } as unknown as Manifest;
    const manifest = await sealManifest(described, { recipients: [anna.recipient], keys, signer, packs: range.packs });
    return { content, range, manifest };
  };
  const deleted = await capture(Buffer.concat([tableText(2000, 7), Buffer.from(`${marker}\n`)]), marker);
  const living = await capture(tableText(2000, 11), "what stays");

  // Before the envelopes are destroyed, the same person opens it.
  const rangeKey = await unwrapKey(deleted.range.envelopes, anna.secret);
  assert.ok((await collect(readRange(openRange(deleted.range.bytes, rangeKey), read))).equals(deleted.content));

  // From here on: neither `rangeKey` nor an envelope of what was deleted.
  for (const missing of [unwrapKey([], anna.secret), unwrapKey(living.range.envelopes.slice(0, 0), anna.secret)])
    await assert.rejects(missing, (error) => isFailure(error, "EnvelopeMissing"));
  const livingKey = await unwrapKey(living.range.envelopes, anna.secret);
  const living2 = openRange(living.range.bytes, livingKey);
  const values: Uint8Array[] = [
    ...[keys.dedupSecret, keys.indexKey, seed, signer.publicKey, digestKeyOf(keys.dedupSecret)],
    ...[anna.secret.secretKey, hash("sha256", anna.secret.secretKey, "buffer"), hash("sha256", anna.recipient.publicKey, "buffer")],
    ...[livingKey, await unwrapKey(living.manifest.envelopes, anna.secret)],
    ...living2.chunks.map(({ key }) => key),
    ...[deleted.range.id, deleted.manifest.hash, ...packs.keys()].map((text) => new Uint8Array(Buffer.from(text, "hex"))),
  ];
  const labels = ["chunk-key", "chunk-id", "row-digest", "range-refs", "pack-directory", "manifest-index"];
  const guesses = (value: Uint8Array, about: Uint8Array): Uint8Array[] => [
    value.subarray(0, 32),
    ...labels.map((label) => deriveKey(`dbgov-1/${label}`, value)),
    createHmac("sha256", value).update(about).digest(),
    new Uint8Array(hkdfSync("sha256", value, new Uint8Array(0), about, 32)),
  ];
  const about = new Uint8Array(Buffer.from(deleted.range.id, "hex"));
  const wrong = (error: unknown): boolean => isFailure(error, "WrongKey");
  const chunks = openRangeIndex(deleted.range.bytes, keys.indexKey).chunks;
  let tries = 0;
  for (const key of values.flatMap((value) => guesses(value, about))) {
    assert.throws(() => openRange(deleted.range.bytes, key), wrong);
    assert.throws(() => openManifest(deleted.manifest.bytes, key), wrong);
    for (const { id, location } of chunks.slice(0, 20)) {
      const { pack, offset, storedBytes, plainBytes } = location;
      assert.equal(openChunk(packs.get(pack)!.subarray(offset, offset + storedBytes), id, key, plainBytes), undefined);
      tries += 1;
    }
  }
  assert.ok(tries > 1_000, `${tries} tries`);
  // Envelopes of other objects do not fit: each is bound to the object that it was made for.
  const forged = living.range.envelopes.map((envelope) => ({ ...envelope, object: deleted.range.id }));
  await assert.rejects(unwrapKey(forged, anna.secret), (error) => isFailure(error));
  for (const bytes of [deleted.range.bytes, deleted.manifest.bytes, ...packs.values()])
    assert.equal(Buffer.from(bytes).indexOf(marker), -1);
  // What lives on is untouched by the deletion.
  assert.ok((await collect(readRange(living2, read))).equals(living.content));
});
