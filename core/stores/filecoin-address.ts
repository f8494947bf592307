import type { StoreConfig } from "../config/schema.ts";
import type { FilecoinConfig } from "./filecoin-chain.ts";
import { walletAddress } from "./filecoin-wallet.ts";

type Written = Extract<StoreConfig, { kind: "filecoin" }>;

const contractNames = [
  ...["multicall3", "usdfc", "filecoinPay", "fwss", "fwssView", "serviceProviderRegistry"],
  ...["sessionKeyRegistry", "pdp", "endorsements"],
] as readonly (keyof NonNullable<Written["contracts"]>)[];

/** `filecoin://NETWORK/OWNER/DATASET`; of a devnet, which nobody else knows, with its node and its contracts behind it. No secret is in it. */
export const filecoinAddress = ({ name, network, rpc, contracts, wallet, dataSet }: Written): string => {
  const address = `filecoin://${network}/${walletAddress(name, wallet)}/${dataSet}`;
  return network === "devnet" && rpc !== undefined ? `${address}?${new URLSearchParams({ rpc, ...contracts })}` : address;
};

/** Where to read from; undefined for what is no such address. */
export const parseFilecoinAddress = (
  address: string,
): (Pick<FilecoinConfig, "network" | "rpc" | "contracts" | "dataSet"> & { owner: string }) | undefined => {
  const url = URL.parse(address);
  const [, owner = "", dataSet = "", ...more] = url?.pathname.split("/") ?? [];
  if (url === null || !isAccount(owner) || dataSet === "" || more.length > 0) return undefined;
  const network = url.hostname;
  const rpc = url.searchParams.get("rpc") ?? undefined;
  if (network === "mainnet" || network === "calibration") return { network, owner, dataSet, ...(rpc === undefined ? {} : { rpc }) };
  const found = Object.fromEntries(contractNames.map((name) => [name, url.searchParams.get(name) ?? ""]));
  if (network !== "devnet" || rpc === undefined || !Object.values(found).every(isAccount)) return undefined;
  return { network, owner, dataSet, rpc, contracts: found as NonNullable<Written["contracts"]> };
};

const isAccount = (text: string): boolean => /^0x[0-9a-f]{40}$/i.test(text);
