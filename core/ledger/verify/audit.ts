import { misfitOfBundle, type ProofBundle } from "./bundle.ts";
import { type Checkpoint, headOf, openCheckpoint } from "./checkpoint.ts";
import { commit, entryBytes, type LogEntry, largestEntry } from "./entry.ts";
import { type EvmEvidence, refuteEvmEvidence } from "./evm-evidence.ts";
import { fromHex, leafHash } from "./hash.ts";
import { verifyConsistency, verifyInclusion } from "./merkle.ts";
import { type Trust, trustedKey } from "./trust.ts";

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
  readonly anchors: readonly AuditedAnchor[];
  readonly failures: readonly AuditFailure[];
}

export interface AuditedAnchor {
  readonly chainId: number;
  readonly contract: string;
  readonly transaction: string;
  readonly block: number;
  readonly time: string;
  readonly verified: boolean;
  /** Why it is not verified. */
  readonly reason?: string;
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
  anchors: [],
  failures: [failure],
});

const audit = (bundle: ProofBundle, trust: Trust): AuditReport => {
  const failures: AuditFailure[] = [];
  const fail = (part: string, reason: string): void => {
    failures.push({ part, reason });
  };
  const checkpoint = openCheckpoint(bundle.checkpoint, trust.log.origin, trustedKey(trust));
  if ("reason" in checkpoint) {
    fail("checkpoint", checkpoint.reason);
    return {
      verified: false,
      entry: null,
      checkpoint: null,
      anchors: bundle.anchors.map((one) => audited(one, "the checkpoint is not valid")),
      failures,
    };
  }
  const bytes = entryBytes(bundle.entry);
  const proof = bundle.inclusion.map(fromHex);
  const included = bytes.length <= largestEntry && verifyInclusion(leafHash(bytes), bundle.index, checkpoint.size, proof, checkpoint.root);
  if (!included) fail("inclusion", `does not lead from the entry, at index ${bundle.index}, to the checkpoint's root`);
  checkSigner(bundle, trust, fail);
  checkDatabase(bundle, fail);
  checkSince(bundle, checkpoint, trust, fail);
  const repeated = bundle.anchors.findIndex(
    (one, at) => bundle.anchors.findIndex(({ transaction }) => transaction === one.transaction) < at,
  );
  if (repeated >= 0) fail(`anchors[${repeated}].transaction`, "is that of an earlier anchor");
  const anchors = bundle.anchors.map((evidence, at) => auditAnchor(evidence, `anchors[${at}]`, bundle, checkpoint, trust, fail));
  if (trust.require?.anchor !== false && !anchors.some(({ verified }) => verified)) {
    const reasons = anchors.flatMap(({ reason }) => reason ?? []);
    fail("anchors", reasons.length === 0 ? "are required, and there is none" : `are required, and none is verified: ${reasons.join("; ")}`);
  }
  const databaseName = bundle.database === undefined ? {} : { databaseName: bundle.database.name };
  return {
    verified: failures.length === 0,
    entry: included ? { ...bundle.entry, index: bundle.index, ...databaseName } : null,
    checkpoint: headOf(checkpoint),
    anchors,
    failures,
  };
};

type Fail = (part: string, reason: string) => void;

const checkSigner = ({ entry }: ProofBundle, { signingKeys }: Trust, fail: Fail): void => {
  if (signingKeys === undefined || entry.kind !== "snapshot-sealed") return;
  if (entry.signer === undefined || !signingKeys.includes(entry.signer))
    fail("entry.signer", "is not a signing key that the trust policy names");
};

const checkDatabase = ({ entry, database }: ProofBundle, fail: Fail): void => {
  if (database === undefined) return;
  const commitment = "database" in entry ? entry.database : undefined;
  if (commit(database.name, database.salt) !== commitment) fail("database", "does not open the entry's commitment to a database");
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
  const other = openCheckpoint(note, trust.log.origin, trustedKey(trust));
  if ("reason" in other) {
    fail("consistency.checkpoint", other.reason);
    return "invalid";
  }
  const [older, newer] = other.size <= checkpoint.size ? [other, checkpoint] : [checkpoint, other];
  if (verifyConsistency(older, newer, proof.map(fromHex))) return other;
  fail("consistency.proof", `does not show that the log of size ${newer.size} extends the one of size ${older.size}`);
  return "invalid";
};

/** The clocks of the operator and of a chain may differ by so much. */
const clockToleranceMs = 300_000;

const auditAnchor = (
  evidence: EvmEvidence,
  part: string,
  bundle: ProofBundle,
  checkpoint: Checkpoint,
  trust: Trust,
  fail: Fail,
): AuditedAnchor => {
  const flaw = refuteEvmEvidence(evidence, { origin: checkpoint.origin, ...headOf(checkpoint) });
  if (flaw !== undefined) {
    fail(`${part}.${flaw.field}`, flaw.reason);
    return audited(evidence, `${part}.${flaw.field} ${flaw.reason}`);
  }
  const chains = (trust.chains ?? []).filter(({ chainId, contract }) => chainId === evidence.chainId && contract === evidence.contract);
  const named = `${part}: contract ${evidence.contract} on chain ${evidence.chainId}`;
  if (chains.length === 0) return audited(evidence, `${named} is not in the trust policy`);
  const blocks = chains.flatMap(({ finalizedBlocks }) => finalizedBlocks ?? []).filter(({ number }) => number === evidence.block);
  if (blocks.some(({ hash }) => hash !== evidence.blockHash)) {
    const reason = `is not the hash of the final block ${evidence.block} that the trust policy names`;
    fail(`${part}.blockHash`, reason);
    return audited(evidence, `${part}.blockHash ${reason}`);
  }
  if (blocks.length === 0) {
    return audited(
      evidence,
      `${part}: look up block ${evidence.block} of chain ${evidence.chainId}; if it is final and its hash is ${evidence.blockHash}, add it to finalizedBlocks`,
    );
  }
  return audited(evidence, refuteTime(evidence, part, bundle.entry, trust));
};

const refuteTime = (evidence: EvmEvidence, part: string, entry: LogEntry, { require }: Trust): string | undefined => {
  const anchored = Date.parse(evidence.time);
  const claimed = Date.parse(entry.time);
  if (claimed > anchored + clockToleranceMs) return `${part}: the entry's time ${entry.time} lies after the block's, ${evidence.time}`;
  if (require?.anchorBy !== undefined && anchored > Date.parse(require.anchorBy))
    return `${part}: the block's time ${evidence.time} is later than anchorBy`;
  const seconds = require?.anchorWithinSeconds;
  if (seconds !== undefined && anchored - claimed > seconds * 1000)
    return `${part}: the block came more than ${seconds} s after the entry's time`;
  return undefined;
};

const audited = ({ chainId, contract, transaction, block, time }: EvmEvidence, reason: string | undefined): AuditedAnchor => {
  const anchor = { chainId, contract, transaction, block, time };
  return reason === undefined ? { ...anchor, verified: true } : { ...anchor, verified: false, reason };
};
