import { ed25519 } from "@noble/curves/ed25519.js";
import { p256, p384 } from "@noble/curves/nist.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { concat, fromHex } from "../../core/ledger/verify/bytes.ts";
import type * as node from "../../core/ledger/verify/crypto.ts";
import { childrenOf, expectTag, oidOf, readDer, tags } from "../../core/ledger/verify/der.ts";
import { verifyRsa } from "./rsa.ts";

/** The verifier's cryptography without Node: what `core/ledger/verify/crypto.ts` is by OpenSSL. The page is built with this in its place. */

export type Digest = node.Digest;

const hashes = { sha1, sha256, sha384, sha512 } as const;

export const digest: typeof node.digest = (algorithm, ...parts) => hashes[algorithm](concat(...parts));

export const hmacSha256: typeof node.hmacSha256 = (key, message) => hmac(sha256, key, message);

export const keccak256: typeof node.keccak256 = (bytes) => keccak_256(bytes);

export const verifyEd25519: typeof node.verifyEd25519 = (publicKey, message, signature) => {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  return unlessItThrows(() => ed25519.verify(signature, message, publicKey, { zip215: false }));
};

const curves = { "1.2.840.10045.3.1.7": p256, "1.3.132.0.34": p384 } as const;
const ellipticKey = "1.2.840.10045.2.1";
const rsaKey = "1.2.840.113549.1.1.1";

/** What PKCS #1 puts in front of a digest: DER of DigestInfo. */
const digestInfo: Readonly<Record<Digest, Uint8Array>> = {
  sha1: fromHex("3021300906052b0e03021a05000414"),
  sha256: fromHex("3031300d060960864801650304020105000420"),
  sha384: fromHex("3041300d060960864801650304020205000430"),
  sha512: fromHex("3051300d060960864801650304020305000440"),
};

export const verifyByCertificate: typeof node.verifyByCertificate = (algorithm, key, message, signature) =>
  unlessItThrows(() => {
    const [kind, bits] = childrenOf(readDer(key), tags.sequence, "public key");
    const [id, parameter] = childrenOf(kind, tags.sequence, "public key");
    const point = expectTag(bits, tags.bits, "public key").content.subarray(1);
    const hash = digest(algorithm, message);
    if (oidOf(id) === rsaKey) return verifyRsa(point, concat(digestInfo[algorithm], hash), signature);
    const curve = oidOf(id) === ellipticKey ? curves[oidOf(parameter) as keyof typeof curves] : undefined;
    return curve?.verify(signature, hash, point, { prehash: false, format: "der", lowS: false }) === true;
  });

const unlessItThrows = (check: () => boolean): boolean => {
  try {
    return check();
  } catch {
    return false;
  }
};
