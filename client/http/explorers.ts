/** Public block explorers by chain id (EIP-155); all of them have pages `/tx/`, `/block/` and `/address/`. */
const explorers: Readonly<Record<number, string>> = {
  1: "https://etherscan.io",
  10: "https://optimistic.etherscan.io",
  100: "https://gnosisscan.io",
  137: "https://polygonscan.com",
  8453: "https://basescan.org",
  17000: "https://holesky.etherscan.io",
  42161: "https://arbiscan.io",
  11155111: "https://sepolia.etherscan.io",
};

/** Where a person can look an anchor up without asking the operator; null for a chain that no explorer is known of. */
export const explorerLinks = (anchor: {
  readonly chainId: number;
  readonly transaction: string;
  readonly block: number | null;
  readonly contract: string;
}): { transaction: string; block: string; contract: string } | null => {
  const explorer = explorers[anchor.chainId];
  if (explorer === undefined || anchor.block === null) return null;
  return {
    transaction: `${explorer}/tx/${anchor.transaction}`,
    block: `${explorer}/block/${anchor.block}`,
    contract: `${explorer}/address/${anchor.contract}`,
  };
};
