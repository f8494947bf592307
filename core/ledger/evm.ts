/** Anchoring checkpoints on EVM chains, by the registry in `contracts/`. */
export { collectEvidence } from "./evm/evidence.ts";
export { probeAnchor } from "./evm/probe.ts";
export { deployRegistry, type RegistryPlace, readAnchored, setSubmitter, submitCheckpoint } from "./evm/registry.ts";
export { addressOfKey, type SignedTransaction } from "./evm/send.ts";
export { type AnchorStatus, anchorStatus } from "./evm/status.ts";
export { type EvmEvidence, registryLogId } from "./verify/evm-evidence.ts";
