import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import * as portable from "../../client/audit-page/crypto.ts";
import * as node from "../../core/ledger/verify/crypto.ts";
import { testSigner } from "./ledger-fixtures.ts";

const bytes = fc.uint8Array({ maxLength: 300 });

test("the page's hashes are OpenSSL's", () => {
  fc.assert(
    fc.property(bytes, bytes, (one, two) => {
      for (const algorithm of ["sha1", "sha256", "sha384", "sha512"] as const)
        assert.deepEqual(portable.digest(algorithm, one, two), node.digest(algorithm, one, two));
      assert.deepEqual(portable.hmacSha256(one, two), node.hmacSha256(one, two));
      assert.deepEqual(portable.keccak256(one), node.keccak256(one));
    }),
  );
  assert.equal(Buffer.from(node.digest("sha256")).toString("hex"), createHash("sha256").digest("hex"));
});

test("the page verifies the signatures that OpenSSL verifies, and none that it does not", () => {
  const { sign: signNote, publicKey } = testSigner(4);
  const message = Buffer.from("message");
  const agree = (verify: (with_: typeof node) => boolean, expected?: boolean): void => {
    const verdict = verify(node);
    assert.equal(verify(portable), verdict);
    if (expected !== undefined) assert.equal(verdict, expected);
  };
  const flipped = (of: Uint8Array, at: number): Uint8Array => of.map((byte, index) => (index === at ? byte ^ 1 : byte));
  const note = signNote(message);
  agree(({ verifyEd25519 }) => verifyEd25519(publicKey, message, note), true);
  for (let at = 0; at < 64; at++) agree(({ verifyEd25519 }) => verifyEd25519(publicKey, message, flipped(note, at)), false);
  for (let at = 0; at < 32; at++) agree(({ verifyEd25519 }) => verifyEd25519(flipped(publicKey, at), message, note), false);
  const pairs = [
    generateKeyPairSync("rsa", { modulusLength: 2048 }),
    generateKeyPairSync("ec", { namedCurve: "prime256v1" }),
    generateKeyPairSync("ec", { namedCurve: "secp384r1" }),
  ];
  for (const pair of pairs) {
    const key = new Uint8Array(pair.publicKey.export({ format: "der", type: "spki" }));
    for (const algorithm of ["sha256", "sha384", "sha512"] as const) {
      const signature = new Uint8Array(sign(algorithm, message, pair.privateKey));
      agree((one) => one.verifyByCertificate(algorithm, key, message, signature), true);
      agree((one) => one.verifyByCertificate(algorithm, key, Buffer.from("other"), signature), false);
      for (let at = 0; at < signature.length; at += 7)
        agree((one) => one.verifyByCertificate(algorithm, key, message, flipped(signature, at)), false);
      agree((one) => one.verifyByCertificate(algorithm, key, message, signature.subarray(1)), false);
      agree((one) => one.verifyByCertificate(algorithm, key.subarray(3), message, signature), false);
    }
  }
});
