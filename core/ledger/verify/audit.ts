import { type AuditedAnchor, auditAnchors, type Fail } from "./audit-anchors.ts";
import { auditCosignatures } from "./audit-cosignatures.ts";
import { type AuditedTimestamp, auditTimestamps } from "./audit-timestamps.ts";
import { misfitOfBundle, type ProofBundle } from "./bundle.ts";
import { fromBase64 } from "./bytes.ts";
import { type Checkpoint, headOf } from "./checkpoint.ts";
import type { Cosignature } from "./cosignature.ts";
import { commit, entryBytes, type LogEntry, largestEntry } from "./entry.ts";
import { fromHex, leafHash, sha256, toHex } from "./hash.ts";
import { verifyConsistency, verifyInclusion } from "./merkle.ts";
import { openTrustedCheckpoint, type Trust } from "./trust.ts";

export type { ProofBundle } from "./bundle.ts";
export { parseBundle } from "./bundle.ts";
export { AuditInputError } from "./input-error.ts";
export type { Trust } from "./trust.ts";
export { parseTrust } from "./trust.ts";

export interface AuditReport {
  readonly verified: boolean;
  /** Null unless it is proven to be in the log. */
  readonly entry: (LogEntry & { readonly index: number; readonly databaseName?: string }) | null;
  /** What to put into `since` of the policy for the next audit. Null unless its signature is the trusted key's. */
  readonly checkpoint: { readonly size: number; readonly root: string } | null;
  /** Of the witnesses that the policy names, those that have cosigned the checkpoint, and when by their clocks. */
  readonly cosignatures: readonly Cosignature[];
  readonly anchors: readonly AuditedAnchor[];
  readonly timestamps: readonly AuditedTimestamp[];
  readonly failures: readonly AuditFailure[];
}

export interface AuditFailure {
  /** As `anchors[0].receiptProof`. */
  readonly part: string;
  readonly reason: string;
}

/**
 * Checks a bundle against what the auditor trusts. Uses no network, no clock and no file, and never throws, whatever the
 * bundle is: what is wrong is in `failures`.
 */
export const auditBundle = (bundle: unknown, trust: Trust): AuditReport => {
  try {
    const misfit = misfitOfBundle(bundle);
    return misfit === undefined ? audit(bundle as ProofBundle, trust) : refused({ part: misfit.part || "bundle", reason: misfit.reason });
  } catch (error) {
    return refused({ part: "bundle", reason: `cannot be checked (${error instanceof Error ? error.name : typeof error})` });
  }
};

const refused = (failure: AuditFailure): AuditReport => ({
  verified: false,
  entry: null,
  checkpoint: null,
  cosignatures: [],
  anchors: [],
  timestamps: [],
  failures: [failure],
});

const audit = (bundle: ProofBundle, trust: Trust): AuditReport => {
  const failures: AuditFailure[] = [];
  const fail = (part: string, reason: string): void => {
    failures.push({ part, reason });
  };
  const checkpoint = openTrustedCheckpoint(bundle.checkpoint, trust);
  if ("reason" in checkpoint) {
    fail("checkpoint", checkpoint.reason);
    return {
      verified: false,
      entry: null,
      checkpoint: null,
      cosignatures: [],
      anchors: auditAnchors(bundle, undefined, trust, fail),
      timestamps: auditTimestamps(bundle, undefined, trust, fail),
      failures,
    };
  }
  const bytes = entryBytes(bundle.entry);
  const proof = bundle.inclusion.map(fromHex);
  const included = bytes.length <= largestEntry && verifyInclusion(leafHash(bytes), bundle.index, checkpoint.size, proof, checkpoint.root);
  if (!included) fail("inclusion", `does not lead from the entry, at index ${bundle.index}, to the checkpoint's root`);
  refuteSigner(bundle.entry, "entry", trust, fail);
  checkDatabase(bundle, fail);
  checkManifest(bundle, fail);
  checkSince(bundle, checkpoint, trust, fail);
  const cosignatures = auditCosignatures(checkpoint, trust, fail);
  const anchors = auditAnchors(bundle, checkpoint, trust, fail);
  const timestamps = auditTimestamps(bundle, checkpoint, trust, fail);
  const { until } = checkpoint;
  if (
    until !== undefined &&
    ![...anchors, ...timestamps].some(({ verified, time }) => verified && Date.parse(time ?? "") <= Date.parse(until))
  ) {
    fail("checkpoint", `is signed by a key that was retired at ${until}, and nothing that is verified shows that it was there by then`);
  }
  const databaseName = bundle.database === undefined ? {} : { databaseName: bundle.database.name };
  return {
    verified: failures.length === 0,
    entry: included ? { ...bundle.entry, index: bundle.index, ...databaseName } : null,
    checkpoint: headOf(checkpoint),
    cosignatures,
    anchors,
    timestamps,
    failures,
  };
};

/** A sealed snapshot must be signed by a key that the policy names, if it names any. `part` is where the entry is, as `entry`. */
export const refuteSigner = (entry: LogEntry, part: string, { signingKeys }: Trust, fail: Fail): void => {
  if (signingKeys === undefined || entry.kind !== "snapshot-sealed") return;
  const windows = signingKeys
    .map((key) => (typeof key === "string" ? { publicKey: key } : key))
    .filter(({ publicKey }) => publicKey === entry.signer);
  if (windows.length === 0) fail(`${part}.signer`, "is not a signing key that the trust policy names");
  else if (!windows.some(({ from = "", until = "9999" }: { from?: string; until?: string }) => entry.time >= from && entry.time <= until))
    fail(`${part}.signer`, `is a signing key that the trust policy does not let count at ${entry.time}`);
};

const checkDatabase = ({ entry, database }: ProofBundle, fail: Fail): void => {
  if (database === undefined) return;
  const commitment = "database" in entry ? entry.database : undefined;
  if (commit(database.name, database.salt) !== commitment) fail("database", "does not open the entry's commitment to a database");
};

/** Whether it opens for the auditor, and what is in it, takes the auditor's key, which this verifier never sees. */
const checkManifest = ({ entry, manifest }: ProofBundle, fail: Fail): void => {
  if (manifest === undefined) return;
  const content = fromBase64(manifest.content);
  const logged = "manifestHash" in entry ? entry.manifestHash : undefined;
  if (content === undefined || toHex(sha256(content)) !== logged) fail("manifest.content", "is not the manifest whose hash the entry has");
};

const checkSince = (bundle: ProofBundle, checkpoint: Checkpoint, trust: Trust, fail: Fail): void => {
  const other = bundle.consistency === undefined ? undefined : openOther(bundle.consistency, checkpoint, trust, fail);
  const { since } = trust;
  if (since === undefined || other === "invalid") return;
  const known = [checkpoint, ...(other === undefined ? [] : [other])].find(({ size }) => size === since.size);
  if (known === undefined) {
    fail("consistency", `does not lead to the checkpoint of size ${since.size} that the trust policy names in since`);
  } else if (headOf(known).root !== since.root) {
    fail("consistency", `leads to another root at size ${since.size} than the trust policy names in since: the log was rewritten`);
  }
};

/** The other checkpoint of the bundle, once its signature is checked, and that one of the two extends the other. */
const openOther = (
  { checkpoint: note, proof }: NonNullable<ProofBundle["consistency"]>,
  checkpoint: Checkpoint,
  trust: Trust,
  fail: Fail,
): Checkpoint | "invalid" => {
  const other = openTrustedCheckpoint(note, trust);
  if ("reason" in other) {
    fail("consistency.checkpoint", other.reason);
    return "invalid";
  }
  const [older, newer] = other.size <= checkpoint.size ? [other, checkpoint] : [checkpoint, other];
  if (verifyConsistency(older, newer, proof.map(fromHex))) return other;
  fail("consistency.proof", `does not show that the log of size ${newer.size} extends the one of size ${older.size}`);
  return "invalid";
};
