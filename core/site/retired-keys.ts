import type { Config, SecretRef, SigningKeyRef } from "../config/schema.ts";
import { Failure } from "../domain/failure.ts";
import type { LogKey } from "../ledger/checkpoint.ts";
import type { SigningKey } from "../repository/signing-keys.ts";

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

/** Keys that signed manifests before. */
export const retiredSigningKeys = ({ keys }: Config): SigningKey[] =>
  keys.retired.flatMap(({ purpose, publicKey, until }) => (purpose === "signing" ? [{ publicKey: bytes(publicKey), until }] : []));

/**
 * Keys that signed the log before. Until its time is over such a key counts for any size, since a worker that was not given the new configuration yet still signs with it, and
 * `key` says where it is, so that it signs beside the new one; after that it counts alone only as far as the log went when it was replaced.
 */
export const retiredLogKeys = ({ keys }: Config, now: string): (LogKey & { readonly key?: SigningKeyRef })[] =>
  keys.retired
    .filter(({ purpose }) => purpose === "log")
    .map(({ publicKey, until, size = 0, key }) => {
      const known = { publicKey: bytes(publicKey), upTo: size, until };
      return now > until || key === undefined ? known : { ...known, key };
    });

/** What the salts of names derive from: it stays the same when the log's key does not. */
export const nameSecretOf = ({ nameSecret, logKey }: Config["keys"]): SecretRef => {
  if (nameSecret !== undefined) return nameSecret;
  if (!("command" in logKey)) return logKey;
  throw new Failure("ConfigurationInvalid", "keys.nameSecret is missing: a log key that never leaves its program gives no salts for names");
};
