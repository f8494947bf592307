import { formatNoteKey } from "../ledger/verify/note.ts";
import type { Trust } from "../ledger/verify/trust.ts";
import type { Site } from "./site.ts";

/**
 * The trust policy that an auditor should be given by another way than the bundles. The blocks that count as final are
 * for the auditor to add, from a node or an explorer of their own choice (or by `audit --rpc`).
 */
export const trustPolicyOf = async (site: Site): Promise<Trust> => {
  const { config } = site.loaded;
  const { publicKey } = await site.logSigner();
  const signer = await site.signer();
  return {
    log: { origin: config.log.origin, publicKey: formatNoteKey({ name: config.log.origin, publicKey }) },
    signingKeys: [Buffer.from(signer.publicKey).toString("hex")],
    chains: config.anchors.map(({ chainId, contract }) => ({ chainId, contract: contract.toLowerCase() })),
    require: { anchor: config.anchors.length > 0 },
  };
};
