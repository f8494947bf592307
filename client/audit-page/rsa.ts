import { concat, equalBytes, fromHex, toHex } from "../../core/ledger/verify/bytes.ts";
import { childrenOf, expectTag, readDer, tags } from "../../core/ledger/verify/der.ts";

const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes) || "0"}`);

/** RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2.2): `key` is an RSAPublicKey in DER, `encoded` a DigestInfo. Nothing here is secret, so time may leak. */
export const verifyRsa = (key: Uint8Array, encoded: Uint8Array, signature: Uint8Array): boolean => {
  const [modulus, exponent] = childrenOf(readDer(key), tags.sequence, "public key").map((part) =>
    numberOf(expectTag(part, tags.integer, "public key").content),
  );
  if (modulus === undefined || exponent === undefined || exponent > 2n ** 32n || modulus < 2n ** 1023n || modulus >= 2n ** 8192n)
    return false;
  const length = Math.ceil(modulus.toString(16).length / 2);
  const value = numberOf(signature);
  if (signature.length !== length || value >= modulus) return false;
  const padding = new Uint8Array(length - encoded.length - 3).fill(0xff);
  const expected = concat(Uint8Array.of(0, 1), padding, Uint8Array.of(0), encoded);
  return equalBytes(
    fromHex(
      power(value, exponent, modulus)
        .toString(16)
        .padStart(2 * length, "0"),
    ),
    expected,
  );
};

const power = (base: bigint, exponent: bigint, modulus: bigint): bigint => {
  let result = 1n;
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
};
