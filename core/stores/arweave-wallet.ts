import { constants, createHash, createPublicKey, verify } from "node:crypto";
import type { JWKInterface } from "arweave/node/lib/wallet.js";
import { Failure } from "../domain/failure.ts";

export interface Wallet {
  readonly key: JWKInterface;
  readonly address: string;
}

const privateParts = ["n", "e", "d", "p", "q", "dp", "dq", "qi"] as const;

/** The wallet in `text`, a JWK of an RSA private key. Throws `ConfigurationInvalid` without repeating it. */
export const parseWallet = (store: string, text: string): Wallet => {
  const key = parseJson(text) as Partial<JWKInterface> | undefined;
  if (key?.kty !== "RSA" || privateParts.some((part) => typeof key[part] !== "string")) {
    throw new Failure("ConfigurationInvalid", `store "${store}": the wallet is not the JWK of an RSA private key`);
  }
  return { key: key as JWKInterface, address: addressOfKey(key.n!) };
};

/** An address is the SHA-256 of the public key's modulus. */
export const addressOfKey = (modulus: string): string => createHash("sha256").update(Buffer.from(modulus, "base64url")).digest("base64url");

/** Whether the wallet with this public modulus (base64url) has signed `message`: RSA-PSS with SHA-256. */
export const isSignedBy = (modulus: string, message: Uint8Array, signature: Uint8Array): boolean =>
  verify(
    "sha256",
    message,
    { key: createPublicKey({ key: { kty: "RSA", n: modulus, e: "AQAB" }, format: "jwk" }), padding: constants.RSA_PKCS1_PSS_PADDING },
    signature,
  );

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
