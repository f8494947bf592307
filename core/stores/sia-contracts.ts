import type { Renewal } from "./store.ts";

/** Where renterd sees the chain. */
export interface Consensus {
  readonly blockHeight: number;
  /** ISO 8601. */
  readonly lastBlockTime: string;
  readonly synced: boolean;
}

/** A contract with a host. Money is in hastings (10^-24 siacoins). */
export interface Contract {
  readonly id: string;
  readonly state: string;
  readonly startHeight: number;
  /** The height at which the host need no longer keep anything. */
  readonly windowStart: number;
  readonly contractPrice: bigint;
  readonly initialRenterFunds: bigint;
}

/** The chain aims at a block every ten minutes. */
const blockMs = 600_000;

const timeOf = ({ blockHeight, lastBlockTime }: Consensus, height: number): string =>
  new Date(Date.parse(lastBlockTime) + (height - blockHeight) * blockMs).toISOString();

/** What it cost to make the contract, and so about what it costs to make it again. */
const costOf = ({ contractPrice, initialRenterFunds }: Contract): bigint => contractPrice + initialRenterFunds;

const siacoins = (amount: bigint): string => {
  const milli = amount / 10n ** 21n;
  return `${milli / 1000n}.${String(milli % 1000n).padStart(3, "0")} SC`;
};

/** Each contract, and when it ends. */
export const contractRenewals = (chain: Consensus, active: readonly Contract[], fundedUntil: string | null): Renewal[] =>
  active.map((contract) => {
    const { id, state, windowStart } = contract;
    const what = `contract ${id.replace(/^fcid:/, "").slice(0, 16)}`;
    const until = timeOf(chain, windowStart);
    const renewal = { what, until, fundedUntil, renewable: true };
    if (state === "failed")
      return { ...renewal, renewable: false, problem: `${what} has failed: its host did not prove that it has the data.` };
    if (windowStart <= chain.blockHeight) return { ...renewal, renewable: false, problem: `${what} has ended and was not renewed.` };
    return renewal;
  });

/**
 * How far the wallet reaches, if each contract is made again at its cost whenever it ends. It has a problem when it cannot pay for each once,
 * when there is no contract at all, and when nothing of this is sure because the chain is not known to its end.
 */
export const walletRenewal = (chain: Consensus, active: readonly Contract[], money: bigint): Renewal => {
  const due = active.reduce((sum, contract) => sum + costOf(contract), 0n);
  const perBlock = active.reduce(
    (sum, contract) => sum + costOf(contract) / BigInt(Math.max(1, contract.windowStart - contract.startHeight)),
    0n,
  );
  const blocks = perBlock === 0n ? undefined : Number(money / perBlock);
  // More than a century is no date that anybody plans with.
  const fundedUntil = blocks === undefined || blocks > 100 * 365 * 144 ? null : timeOf(chain, chain.blockHeight + blocks);
  return { what: "wallet", until: null, fundedUntil, renewable: false, ...problemOf(chain, active.length, money, due) };
};

const problemOf = (chain: Consensus, contracts: number, money: bigint, due: bigint): { problem?: string } => {
  if (!chain.synced) return { problem: "renterd does not know the chain to its end, so it renews nothing." };
  if (contracts === 0) return { problem: "renterd has no contract with any host." };
  if (money >= due) return {};
  return { problem: `The wallet holds ${siacoins(money)}, and renewing its ${contracts} contracts costs ${siacoins(due)}.` };
};
