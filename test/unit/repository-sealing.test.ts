import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import sodium from "libsodium-wrappers";
import { isFailure } from "../../core/domain/failure.ts";
import { type Envelope, encodeEnvelopes, parseEnvelopes, unwrapKey, wrapKey } from "../../core/repository/envelopes.ts";
import { generateRecipient, parseRecipient, parseRecipientSecret } from "../../core/repository/keys.ts";
import { leafHash, merklePath, merkleRoot, rootFromPath } from "../../core/repository/merkle.ts";
import { nonceBytes, seal, unseal } from "../../core/repository/sealing.ts";
import { signerFromSeed, verifySignature } from "../../core/repository/signing.ts";
import { newRecipient } from "./repository-fixture.ts";

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

test("sealing is libsodium's XChaCha20-Poly1305, in both directions", async () => {
  await sodium.ready;
  fc.assert(
    fc.property(bytes32, fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ maxLength: 5000 }), (key, aad, plain) => {
      const ours = seal(key, aad, plain);
      const nonce = ours.subarray(0, nonceBytes);
      const theirs = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, aad, null, nonce, key);
      assert.deepEqual(Buffer.from(theirs), ours.subarray(nonceBytes));
      assert.deepEqual(
        Buffer.from(sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, ours.subarray(nonceBytes), aad, nonce, key)),
        Buffer.from(plain),
      );
      assert.deepEqual(unseal(key, aad, Buffer.concat([nonce, theirs])), Buffer.from(plain));
    }),
    { numRuns: 200 },
  );
});

test("no nonce is used twice in ten thousand sealings", () => {
  const key = randomBytes(32);
  const nonces = new Set(Array.from({ length: 10_000 }, () => seal(key, key, key).toString("hex", 0, nonceBytes)));
  assert.equal(nonces.size, 10_000);
});

test("any altered byte, key, associated data or length does not open", () => {
  const key = randomBytes(32);
  const aad = randomBytes(20);
  const sealed = seal(key, aad, Buffer.from("what nobody may read"));
  for (let at = 0; at < sealed.length; at++) {
    const altered = Buffer.from(sealed);
    altered[at]! ^= 1;
    assert.equal(unseal(key, aad, altered), undefined);
    assert.equal(unseal(key, aad, sealed.subarray(0, at)), undefined);
  }
  assert.equal(unseal(randomBytes(32), aad, sealed), undefined);
  assert.equal(unseal(key, randomBytes(20), sealed), undefined);
  assert.equal(unseal(key, aad, sealed)?.toString(), "what nobody may read");
});

test("X-Wing keys have the sizes of the standard, and the secret is its seed", async () => {
  await sodium.ready;
  assert.equal(sodium.crypto_kem_xwing_PUBLICKEYBYTES, 1216);
  assert.equal(sodium.crypto_kem_xwing_CIPHERTEXTBYTES, 1120);
  const { publicText, secretText } = await generateRecipient();
  const recipient = parseRecipient("auditor", publicText);
  const secret = await parseRecipientSecret(`  ${secretText.replace(/(.{20})/g, "$1\n ")}\n`);
  assert.equal(secret.id, recipient.id);
  const pair = sodium.crypto_kem_xwing_seed_keypair(secret.secretKey);
  assert.deepEqual(Buffer.from(pair.publicKey), Buffer.from(recipient.publicKey));
});

test("an envelope opens for each of its recipients and for nobody else", async () => {
  const [anna, ben, eve] = await Promise.all([newRecipient("anna"), newRecipient("ben"), newRecipient("eve")]);
  const key = randomBytes(32);
  const envelopes = await wrapKey("range", "ab".repeat(32), key, [anna.recipient, ben.recipient]);
  for (const { secret } of [anna, ben]) assert.deepEqual(Buffer.from(await unwrapKey(envelopes, secret)), key);
  await assert.rejects(unwrapKey(envelopes, eve.secret), (error) => isFailure(error, "WrongKey"));
  await assert.rejects(unwrapKey([], anna.secret), (error) => isFailure(error, "EnvelopeMissing"));
  const swapped = envelopes.map((envelope) => ({ ...envelope, recipient: eve.recipient.id }));
  await assert.rejects(unwrapKey(swapped, eve.secret), (error) => isFailure(error, "ObjectCorrupt"));
});

test("an envelope that was altered anywhere, or moved to another object, does not open", async () => {
  const { recipient, secret } = await newRecipient("anna");
  const object = "20261124T021500Z-5f3a9c01d2e4";
  const [envelope] = (await wrapKey("manifest", object, randomBytes(32), [recipient])) as [Envelope];
  const alterations: Partial<Envelope>[] = [{ object: "20261124T021500Z-000000000000" }, { kind: "range" }];
  for (const field of ["kem", "wrapped"] as const) {
    const bytes = Buffer.from(envelope[field], "base64");
    for (let at = 0; at < bytes.length; at += field === "kem" ? 37 : 1) {
      const altered = Buffer.from(bytes);
      altered[at]! ^= 0x10;
      alterations.push({ [field]: altered.toString("base64") });
    }
    alterations.push({ [field]: bytes.subarray(1).toString("base64") });
  }
  for (const alteration of alterations) {
    await assert.rejects(unwrapKey([{ ...envelope, ...alteration }], secret), (error) => isFailure(error, "ObjectCorrupt"));
  }
});

test("an envelopes object is refused when altered, of another object, or newer", async () => {
  const { recipient } = await newRecipient("anna");
  const object = "cd".repeat(32);
  const envelopes = await wrapKey("range", object, randomBytes(32), [recipient]);
  const bytes = encodeEnvelopes(envelopes);
  assert.deepEqual(parseEnvelopes(bytes, object), envelopes);
  assert.throws(
    () => parseEnvelopes(bytes, "ef".repeat(32)),
    (error) => isFailure(error, "ObjectCorrupt"),
  );
  assert.throws(
    () => parseEnvelopes(bytes.subarray(0, 100), object),
    (error) => isFailure(error, "ObjectCorrupt"),
  );
  const newer = Buffer.from(Buffer.from(bytes).toString().replace('"version":1', '"version":2'));
  assert.throws(
    () => parseEnvelopes(newer, object),
    (error) => isFailure(error, "FormatUnsupported"),
  );
});

test("malformed keys are refused, and never repeated in the message", async () => {
  const { secretText, publicText } = await generateRecipient();
  const cut = secretText.slice(0, -6);
  for (const text of ["", cut, publicText, secretText.replace("dbgov-secret-1:", "")]) {
    await assert.rejects(
      parseRecipientSecret(text),
      (error) => isFailure(error, "WrongKey") && (text === "" || !error.message.includes(text)),
    );
  }
  for (const text of ["", secretText, publicText.slice(0, -4)]) {
    assert.throws(
      () => parseRecipient("ben", text),
      (error) => isFailure(error, "ConfigurationInvalid") && error.message.includes("ben"),
    );
  }
  assert.throws(
    () => signerFromSeed("abc"),
    (error) => isFailure(error, "ConfigurationInvalid"),
  );
});

test("signatures are Ed25519 as RFC 8032 has it", () => {
  // RFC 8032, section 7.1, test 2.
  const signer = signerFromSeed("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
  const message = Buffer.from("72", "hex");
  assert.equal(Buffer.from(signer.publicKey).toString("hex"), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const signature = signer.sign(message);
  assert.match(Buffer.from(signature).toString("hex"), /^92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da/);
  assert.ok(verifySignature(signer.publicKey, message, signature));
  assert.ok(!verifySignature(signer.publicKey, Buffer.from("73", "hex"), signature));
  assert.ok(!verifySignature(signer.publicKey, message, signature.slice(1)));
  assert.ok(!verifySignature(randomBytes(32), message, signature));
});

test("every leaf of a Merkle tree proves itself, and nothing else does", () => {
  for (const count of [1, 2, 3, 5, 8, 13, 31]) {
    const leaves = Array.from({ length: count }, (_, n) => leafHash(Buffer.from([n])));
    const root = merkleRoot(leaves);
    for (let n = 0; n < count; n++) {
      const path = merklePath(leaves, n);
      assert.deepEqual(rootFromPath(leaves[n]!, n, count, path), root);
      assert.notDeepEqual(rootFromPath(leafHash(Buffer.from("other")), n, count, path), root);
      assert.equal(rootFromPath(leaves[n]!, n, count, [...path, root]), undefined);
      if (count > 1) assert.equal(rootFromPath(leaves[n]!, n, count, path.slice(1)), undefined);
    }
    assert.equal(rootFromPath(leaves[0]!, count, count, []), undefined);
  }
  // RFC 6962 of no leaves and of the known one-leaf tree.
  assert.equal(merkleRoot([]).toString("hex"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert.equal(merkleRoot([leafHash(Buffer.alloc(0))]).toString("hex"), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
});
