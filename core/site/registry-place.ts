import type { RegistryPlace } from "../ledger/evm.ts";
import type { Site } from "./site.ts";

/** Where an anchor's registry is, by which nodes it is reached, and what it calls this organization's log. */
export const registryPlace = async (
  site: Site,
  anchorName: string,
): Promise<RegistryPlace & { readonly logId: string; readonly maxFeeGwei: number }> => {
  const { registryLogId } = await import("../ledger/evm.ts");
  const { rpc, otherRpcs, quorum, chainId, contract, maxFeeGwei } = site.anchor(anchorName);
  return {
    rpc: await site.secret(rpc),
    otherRpcs: await Promise.all(otherRpcs.map((one) => site.secret(one))),
    ...(quorum === undefined ? {} : { quorum }),
    chainId,
    contract,
    maxFeeGwei,
    logId: registryLogId(site.loaded.config.log.origin),
  };
};
