import { type Fail, refuteTime } from "./audit-anchors.ts";
import type { ProofBundle } from "./bundle.ts";
import { fromBase64 } from "./bytes.ts";
import { readPemCertificates } from "./certificates.ts";
import { type Checkpoint, checkpointText } from "./checkpoint.ts";
import { checkpointHash, openTimestamp, untrustedSigner } from "./timestamp.ts";
import type { Trust } from "./trust.ts";

export interface AuditedTimestamp {
  /** Null unless the token is shown to be of this checkpoint, and of an authority that leads to one of the policy's roots. */
  readonly time: string | null;
  /** The subject of the certificate that signed; null like `time`. */
  readonly authority: string | null;
  readonly verified: boolean;
  /** Why it is not verified. */
  readonly reason?: string;
}

/** Each time-stamp token of the bundle, checked; without a checkpoint none of them is verified. */
export const auditTimestamps = (bundle: ProofBundle, checkpoint: Checkpoint | undefined, trust: Trust, fail: Fail): AuditedTimestamp[] => {
  const tokens = (bundle.timestamps ?? []).map(({ token }) => token);
  if (checkpoint === undefined) return tokens.map(() => unverified("the checkpoint is not valid"));
  const repeated = tokens.findIndex((token, at) => tokens.indexOf(token) < at);
  if (repeated >= 0) fail(`timestamps[${repeated}].token`, "is that of an earlier time stamp");
  const stamps = tokens.map((token, at) => auditToken(token, `timestamps[${at}]`, bundle, checkpoint, trust, fail));
  if (trust.require?.timestamp === true && !stamps.some(({ verified }) => verified)) {
    const reasons = stamps.flatMap(({ reason }) => reason ?? []);
    fail(
      "timestamps",
      reasons.length === 0 ? "are required, and there is none" : `are required, and none is verified: ${reasons.join("; ")}`,
    );
  }
  return stamps;
};

const auditToken = (
  base64: string,
  part: string,
  { entry }: ProofBundle,
  { origin, size, root }: Checkpoint,
  trust: Trust,
  fail: Fail,
): AuditedTimestamp => {
  const token = fromBase64(base64);
  const roots = (trust.authorities ?? []).flatMap((pem) => readPemCertificates(pem));
  const stamp =
    token === undefined ? { reason: "is not base64" } : openTimestamp(token, checkpointHash(checkpointText(origin, size, root)), roots);
  if ("reason" in stamp) {
    // That of an authority which this auditor does not know says nothing, and is no sign of tampering.
    if (stamp.reason !== untrustedSigner) fail(`${part}.token`, stamp.reason);
    return unverified(`${part}.token ${stamp.reason}`);
  }
  if (stamp.surplus > 0) {
    const reason = "comes with certificates that do not lead from its signer to a trusted root";
    fail(`${part}.token`, reason);
    return unverified(`${part}.token ${reason}`);
  }
  const late = refuteTime(stamp.time, entry, trust, "the time stamp's");
  const { time, authority } = stamp;
  return late === undefined ? { time, authority, verified: true } : { time, authority, verified: false, reason: `${part}: ${late}` };
};

const unverified = (reason: string): AuditedTimestamp => ({ time: null, authority: null, verified: false, reason });
