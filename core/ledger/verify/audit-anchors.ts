import type { ProofBundle } from "./bundle.ts";
import { type Checkpoint, headOf } from "./checkpoint.ts";
import type { LogEntry } from "./entry.ts";
import { type EvmEvidence, refuteEvmEvidence } from "./evm-evidence.ts";
import type { Trust } from "./trust.ts";

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

/** Notes what is wrong with a part of the bundle. */
export type Fail = (part: string, reason: string) => void;

/** Each anchor of the bundle, checked; without a checkpoint to be anchored none of them is verified. */
export const auditAnchors = (bundle: ProofBundle, checkpoint: Checkpoint | undefined, trust: Trust, fail: Fail): AuditedAnchor[] => {
  if (checkpoint === undefined) return bundle.anchors.map((one) => audited(one, "the checkpoint is not valid"));
  const repeated = bundle.anchors.findIndex(
    (one, at) => bundle.anchors.findIndex(({ transaction }) => transaction === one.transaction) < at,
  );
  if (repeated >= 0) fail(`anchors[${repeated}].transaction`, "is that of an earlier anchor");
  const anchors = bundle.anchors.map((evidence, at) => auditAnchor(evidence, `anchors[${at}]`, bundle, checkpoint, trust, fail));
  if (trust.require?.anchor !== false && !anchors.some(({ verified }) => verified)) {
    const reasons = anchors.flatMap(({ reason }) => reason ?? []);
    fail("anchors", reasons.length === 0 ? "are required, and there is none" : `are required, and none is verified: ${reasons.join("; ")}`);
  }
  return anchors;
};

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
  const late = refuteTime(evidence.time, bundle.entry, trust, "the block's");
  return audited(evidence, late === undefined ? undefined : `${part}: ${late}`);
};

/** The clocks of the operator and of who attests may differ by so much. */
const clockToleranceMs = 300_000;

/** Why an attestation of `time` does not serve the policy; undefined when it does. `whose` as "the block's". */
export const refuteTime = (time: string, entry: LogEntry, { require }: Trust, whose: string): string | undefined => {
  const attested = Date.parse(time);
  const claimed = Date.parse(entry.time);
  if (claimed > attested + clockToleranceMs) return `the entry's time ${entry.time} lies after ${whose}, ${time}`;
  if (require?.anchorBy !== undefined && attested > Date.parse(require.anchorBy)) return `${whose} time ${time} is later than anchorBy`;
  const seconds = require?.anchorWithinSeconds;
  if (seconds !== undefined && attested - claimed > seconds * 1000)
    return `${whose} time ${time} is more than ${seconds} s after the entry's`;
  return undefined;
};

const audited = ({ chainId, contract, transaction, block, time }: EvmEvidence, reason: string | undefined): AuditedAnchor => {
  const anchor = { chainId, contract, transaction, block, time };
  return reason === undefined ? { ...anchor, verified: true } : { ...anchor, verified: false, reason };
};
