import assert from "node:assert/strict";
import { createHmac, hash, hkdfSync, randomBytes } from "node:crypto";
import { test } from "node:test";
import sodium from "libsodium-wrappers";
import { isFailure } from "../../core/domain/failure.ts";
import { encodeBase64 } from "../../core/repository/canonical-json.ts";
import { convergentSecrets } from "../../core/repository/chunk-secrets.ts";
import { deriveKey } from "../../core/repository/derive.ts";
import { unwrapKey } from "../../core/repository/envelopes.ts";
import { digestKeyOf, parseRecipientSecret } from "../../core/repository/keys.ts";
import { type Manifest, openManifest, openManifestIndex, sealManifest } from "../../core/repository/manifest.ts";
import { openPackDirectory } from "../../core/repository/packs.ts";
import { openRange, openRangeIndex, sealRange } from "../../core/repository/ranges.ts";
import { readRange } from "../../core/repository/read-range.ts";
import { openChunk } from "../../core/repository/sealed-chunk.ts";
import { collect, memoryRepository, newRecipient, tableText } from "./repository-fixture.ts";

/**
 * The worker that captured a database cannot open what it wrote. The test hands an attacker all that the worker holds
 * once the plaintext has left its memory - dedup secret, index key, signing seed, the recipients' public keys, every
 * stored object and every envelope - and tries each key and each derivation of each value on each sealed thing.
 */
test("all that a capture worker holds opens no content", async () => {
  const anna = await newRecipient("anna");
  const repository = memoryRepository();
  const { keys, packs } = repository;
  const seed = randomBytes(32);
  const { signerFromSeed } = await import("../../core/repository/signing.ts");
  const signer = signerFromSeed(seed.toString("hex"));
  const marker = "0000-secret-marker-of-a-row";
  const content = Buffer.concat([tableText(3000), Buffer.from(`${marker}\n`)]);
  const { draft } = await repository.capture("lines", [content]);
  const range = await sealRange(draft, { recipients: [anna.recipient], keys });
  const described = {
    version: 1,
    snapshot: "20261124T021500Z-5f3a9c01d2e4",
    database: "shop",
    engine: "postgres",
    digestKey: encodeBase64(digestKeyOf(keys.dedupSecret)),
    streams: [{ name: marker, ...draft.digest, ranges: [{ id: range.id }] }],
  } as unknown as Manifest;
  const manifest = await sealManifest(described, { recipients: [anna.recipient], keys, signer, packs: range.packs });

  // What the index key shows, by design: ids, places, sizes. It is the attacker's map.
  const chunks = openRangeIndex(range.bytes, keys.indexKey).chunks;
  const directory = [...packs].flatMap(([, bytes]) => openPackDirectory(bytes, keys.indexKey));
  assert.equal(openManifestIndex(manifest.bytes, keys.indexKey).ranges[0], range.id);
  assert.equal(directory.length, chunks.length);

  const hex = (text: string) => Buffer.from(text, "hex");
  const envelopes = [...range.envelopes, ...manifest.envelopes];
  const values: Uint8Array[] = [
    keys.dedupSecret,
    keys.indexKey,
    seed,
    signer.publicKey,
    digestKeyOf(keys.dedupSecret),
    hex(range.id),
    hex(manifest.hash),
    hash("sha256", anna.recipient.publicKey, "buffer"),
    ...[...packs.keys()].map(hex),
    ...envelopes.flatMap(({ kem, wrapped }) => [
      hash("sha256", Buffer.from(kem, "base64"), "buffer"),
      Buffer.from(wrapped, "base64").subarray(24, 56),
    ]),
    new Uint8Array(32),
  ];
  const labels = ["chunk-key", "chunk-id", "row-digest", "range-refs", "pack-directory", "manifest-index"].map(
    (label) => `dbgov-1/${label}`,
  );
  const guesses = (value: Uint8Array, about: Uint8Array): Uint8Array[] => [
    value,
    ...labels.map((label) => deriveKey(label, value)),
    createHmac("sha256", value).update(about).digest(),
    createHmac("sha256", about).update(value).digest(),
    deriveKey("dbgov-1/chunk-key", createHmac("sha256", keys.dedupSecret).update(value).digest()),
    new Uint8Array(hkdfSync("sha256", value, new Uint8Array(0), about, 32)),
  ];

  let tries = 0;
  for (const { id, location } of chunks) {
    const { pack, offset, storedBytes, plainBytes } = location;
    const sealed = packs.get(pack)!.subarray(offset, offset + storedBytes);
    for (const value of [...values, id]) {
      for (const key of guesses(value, id)) {
        tries++;
        assert.equal(openChunk(sealed, id, key, plainBytes), undefined);
      }
    }
  }
  for (const value of [...values, ...chunks.map(({ id }) => id)]) {
    for (const key of guesses(value, hex(range.id))) {
      tries += 2;
      assert.throws(
        () => openRange(range.bytes, key),
        (error) => isFailure(error, "WrongKey"),
      );
      assert.throws(
        () => openManifest(manifest.bytes, key),
        (error) => isFailure(error, "WrongKey"),
      );
    }
  }
  // Every value the worker holds, as if it were a recipient's secret.
  await sodium.ready;
  for (const value of values.filter((candidate) => candidate.length === 32)) {
    const secret = await parseRecipientSecret(`dbgov-secret-1:${encodeBase64(value)}`);
    await assert.rejects(unwrapKey(range.envelopes, secret), (error) => isFailure(error, "WrongKey"));
    const forced = { id: anna.recipient.id, secretKey: value };
    for (const list of [range.envelopes, manifest.envelopes]) {
      tries++;
      await assert.rejects(unwrapKey(list, forced), (error) => isFailure(error));
    }
  }
  assert.ok(tries > 1000, `${tries} tries`);

  // The attack is a real one: with the plaintext of a chunk in hand it does succeed.
  const [{ id, location }] = chunks as [(typeof chunks)[number]];
  const sealed = packs.get(location.pack)!.subarray(location.offset, location.offset + location.storedBytes);
  const { key } = convergentSecrets(keys.dedupSecret, content.subarray(0, location.plainBytes));
  assert.ok(openChunk(sealed, id, key, location.plainBytes) !== undefined);

  // Nothing of the content lies open in what was stored.
  for (const bytes of [range.bytes, manifest.bytes, ...packs.values(), Buffer.from(JSON.stringify(envelopes))]) {
    assert.equal(Buffer.from(bytes).indexOf(marker), -1);
  }
  // And the recipient's secret, which the worker never had, does open it.
  const open = openRange(range.bytes, await unwrapKey(range.envelopes, anna.secret));
  assert.ok((await collect(readRange(open, repository.read))).equals(content));
  assert.equal(openManifest(manifest.bytes, await unwrapKey(manifest.envelopes, anna.secret)).streams[0]!.name, marker);
});
