import { randomBytes } from "node:crypto";
import { Failure } from "../domain/failure.ts";
import { decodeBase64, encodeBase64 } from "./canonical-json.ts";
import { keyIdOf, type Signer, signerFromSeed } from "./signing.ts";

/** The Ed25519 key of a person who may ask for, and approve, acts that need two persons. */
export interface Approver {
  readonly name: string;
  /** First 16 hex digits of SHA-256 of the public key. */
  readonly id: string;
  readonly publicKey: Uint8Array;
}

const publicHead = "dbgov-approver-1:";
const secretHead = "dbgov-approver-secret-1:";

/** The 32 bytes of `dbgov-approver-1:<base64>`; undefined for anything else. */
export const parseApproverKey = (text: string): Uint8Array | undefined =>
  text.startsWith(publicHead) ? decodeBase64(text.slice(publicHead.length).trim(), 32) : undefined;

export const approverOf = ({ name, publicKey }: { readonly name: string; readonly publicKey: string }): Approver => {
  const key = parseApproverKey(publicKey);
  if (key === undefined) throw new Failure("ConfigurationInvalid", `the key of approver ${name} is no ${publicHead}… key of 32 bytes`);
  return { name, id: keyIdOf(key), publicKey: new Uint8Array(key) };
};

/** Signs with the secret that `dbgov keys approver` made. Throws `WrongKey`. */
export const approverSigner = (secretText: string): Signer => {
  const compact = secretText.trim();
  const seed = compact.startsWith(secretHead) ? decodeBase64(compact.slice(secretHead.length), 32) : undefined;
  if (seed === undefined) throw new Failure("WrongKey", `an approver's secret is a ${secretHead}… key of 32 bytes`);
  return signerFromSeed(seed.toString("hex"));
};

/** A fresh pair as text: the public part for `dbgov.yaml`, the secret for its person alone. */
export const generateApprover = (): { publicText: string; secretText: string; id: string } => {
  const seed = randomBytes(32);
  const { publicKey, keyId } = signerFromSeed(seed.toString("hex"));
  return { publicText: publicHead + encodeBase64(publicKey), secretText: secretHead + encodeBase64(seed), id: keyId };
};
