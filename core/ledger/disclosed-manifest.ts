import { Failure } from "../domain/failure.ts";
import { unwrapKey } from "../repository/envelopes.ts";
import type { RecipientSecret } from "../repository/keys.ts";
import { type Manifest, openManifest, verifyManifest } from "../repository/manifest.ts";
import type { ProofBundle } from "./verify/audit.ts";

/**
 * What a bundle's manifest says, for who has the secret key that it was opened to. The bundle must be verified before. Throws `UsageInvalid` when it has none, `WrongKey` when it is opened to somebody else,
 * `ObjectCorrupt` and `VerificationFailed` when it was altered, or is not signed by the key that the entry names.
 */
export const openDisclosedManifest = async ({ entry, manifest }: ProofBundle, secret: RecipientSecret): Promise<Manifest> => {
  if (manifest === undefined || entry.kind !== "snapshot-sealed")
    throw new Failure("UsageInvalid", "the bundle has no manifest: ask for one with dbgov proof --open-to");
  const bytes = new Uint8Array(Buffer.from(manifest.content, "base64"));
  if (entry.signer !== undefined) verifyManifest(bytes, [new Uint8Array(Buffer.from(entry.signer, "hex"))]);
  const envelope = { version: 1, kind: "manifest", object: entry.snapshot, ...manifest.envelope } as const;
  return openManifest(bytes, await unwrapKey([envelope], secret));
};
