import { AbiCoder, Interface, type InterfaceAbi } from "ethers";
import build from "../../../contracts/build/AnchorRegistry.json" with { type: "json" };
import { Failure, isFailure } from "../../domain/failure.ts";
import { firstAnswer, readAgreed, sameAnswer } from "./agree.ts";
import { type Ask, type ChainPlace, RpcRefusal, whereOf, withChain } from "./rpc.ts";
import { addressOfKey, broadcast, minedNonce, type SignedTransaction, sendTransaction } from "./send.ts";

/** `contracts/AnchorRegistry.sol`, deployed. */
export interface RegistryPlace extends ChainPlace {
  readonly contract: string;
}

/** A checkpoint as the registry names it. */
export interface RegistryHead {
  /** `registryLogId(origin)`: 64 hex digits. */
  readonly logId: string;
  readonly size: number;
  /** Hex. */
  readonly root: string;
}

export interface RecordedHead {
  readonly root: string;
  readonly block: number;
  /** ISO, the block's. */
  readonly time: string;
}

export const registryInterface = new Interface(build.abi as InterfaceAbi);

/** In lowercase, as evidence and trust policies have addresses. */
const lower = (address: string): string => address.toLowerCase();
const hex = (digits: string): string => `0x${digits}`;

/**
 * Creates a registry whose owner is the account of `key`, and waits until it is mined. `submitter` (default: the owner) is the account
 * that may submit; keep the owner's key elsewhere. Throws `ChainUnreachable`, `ChainRejected`, `CostCapExceeded`.
 */
export const deployRegistry = (
  place: ChainPlace & { readonly key: string; readonly submitter?: string; readonly maxFeeGwei?: number; readonly waitMs?: number },
): Promise<{ contract: string; transaction: string; block: number; gasUsed: number }> =>
  withChain(place, async (ask, where) => {
    const argument = AbiCoder.defaultAbiCoder().encode(["address"], [place.submitter ?? addressOfKey(place.key)]);
    const call = { key: place.key, to: undefined, data: build.bytecode + argument.slice(2), maxFeeGwei: place.maxFeeGwei ?? 50 };
    const transaction = await sendTransaction(place, call);
    const receipt = await waitForReceipt(ask, where, transaction, place.waitMs);
    if (receipt.status !== "0x1" || receipt.contractAddress == null)
      throw new Failure("ChainRejected", `${where}: creating the registry failed in ${transaction}`);
    return { contract: lower(receipt.contractAddress), transaction, block: Number(receipt.blockNumber), gasUsed: Number(receipt.gasUsed) };
  });

/** Lets an account submit, or no longer. Only the owner's key can. Waits until it is mined. */
export const setSubmitter = (
  place: RegistryPlace & {
    readonly key: string;
    readonly account: string;
    readonly allowed: boolean;
    readonly maxFeeGwei?: number;
    readonly waitMs?: number;
  },
): Promise<{ transaction: string }> =>
  withChain(place, async (ask, where) => {
    const data = registryInterface.encodeFunctionData("setSubmitter", [place.account, place.allowed]);
    const call = { key: place.key, to: place.contract, data, maxFeeGwei: place.maxFeeGwei ?? 50 };
    const transaction = await sendTransaction(place, call, { explain: explained });
    const receipt = await waitForReceipt(ask, where, transaction, place.waitMs);
    if (receipt.status !== "0x1") throw new Failure("ChainRejected", `${where}: the registry refused the change in ${transaction}`);
    return { transaction };
  });

export interface SubmitOptions {
  /**
   * A transaction that this account has sent before and that is not known to be over. While its nonce is not mined it is broadcast again,
   * or, once it is `stale`, replaced by one that offers more.
   */
  readonly inFlight?: (SignedTransaction & { readonly stale: boolean }) | undefined;
  /** Told of each transaction before any node is. */
  remember?(signed: SignedTransaction): Promise<void>;
}

export interface Submission {
  readonly transaction: string;
  /** Whether the registry had the checkpoint already. */
  readonly recorded: boolean;
}

/**
 * Submits a checkpoint unless it is recorded already, and returns the transaction without waiting for it. Doing it again is safe. Throws
 * `ChainRejected` when the registry has another root at this size or a larger size already, or does not allow the account;
 * `CostCapExceeded`; `ChainUnreachable`.
 */
export const submitCheckpoint = async (
  place: RegistryPlace & RegistryHead & { readonly key: string; readonly maxFeeGwei: number },
  { inFlight, remember = async () => {} }: SubmitOptions = {},
): Promise<Submission> => {
  const { size, root, key, maxFeeGwei } = place;
  const found = await readAnchored(place);
  if (found !== undefined && found.root !== root) {
    throw new Failure(
      "ChainRejected",
      `${whereOf(place)}: the registry ${place.contract} has another root at size ${size}: the log has forked`,
    );
  }
  if (found !== undefined) {
    const transaction = await firstAnswer(place, (ask, where) => recordingTransaction(ask, where, place, found.block));
    return { transaction, recorded: true };
  }
  const sentBefore = { transaction: inFlight?.transaction ?? "", recorded: false };
  // Mined, or overtaken by another of the same nonce: whoever follows it finds out.
  if (inFlight !== undefined && (await minedNonce(place, key)) > inFlight.nonce) return sentBefore;
  if (inFlight !== undefined && !inFlight.stale) {
    await broadcast(place, inFlight.raw);
    return sentBefore;
  }
  const data = registryInterface.encodeFunctionData("submit", [hex(place.logId), size, hex(root)]);
  const call = { key, to: place.contract, data, maxFeeGwei };
  try {
    return { transaction: await sendTransaction(place, call, { over: inFlight, remember, explain: explained }), recorded: false };
  } catch (error) {
    // At the cap the one that is pending stays the best there is.
    if (inFlight === undefined || !isFailure(error, "CostCapExceeded")) throw error;
    await broadcast(place, inFlight.raw);
    return sentBefore;
  }
};

/** What the registry has recorded for a size of a log, as of the latest block; undefined for nothing. */
export const readAnchored = async (place: RegistryPlace & Pick<RegistryHead, "logId" | "size">): Promise<RecordedHead | undefined> =>
  (await readAgreed(place, `size ${place.size}`, async (ask, where) => (await readRecord(ask, where, place)) ?? null, sameAnswer)) ??
  undefined;

/** `readAnchored` over a connection that is there. */
export const readRecord = async (
  ask: Ask,
  where: string,
  { contract, logId, size }: RegistryPlace & Pick<RegistryHead, "logId" | "size">,
): Promise<RecordedHead | undefined> => {
  const data = registryInterface.encodeFunctionData("anchored", [hex(logId), size]);
  const answer = await ask<string>("eth_call", [{ to: contract, data }, "latest"]);
  if (answer.length !== 2 + 3 * 64) throw new Failure("ChainRejected", `${where}: there is no registry at ${contract}`);
  const [root, block, time] = registryInterface.decodeFunctionResult("anchored", answer) as unknown as [string, bigint, bigint];
  if (BigInt(root) === 0n) return undefined;
  return { root: root.slice(2), block: Number(block), time: new Date(Number(time) * 1000).toISOString() };
};

const recordingTransaction = async (ask: Ask, where: string, head: RegistryPlace & RegistryHead, block: number): Promise<string> => {
  const topics = registryInterface.encodeFilterTopics("Anchored", [hex(head.logId), head.size]);
  const at = `0x${block.toString(16)}`;
  const logs = await ask<{ transactionHash: string }[]>("eth_getLogs", [{ address: head.contract, fromBlock: at, toBlock: at, topics }]);
  const found = logs[0]?.transactionHash;
  if (found === undefined)
    throw new Failure("ChainUnreachable", `${where}: the node does not show the event that block ${block} must have`);
  return lower(found);
};

/** Turns the registry's own errors into words. */
const explained = async <T>(where: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    const revert =
      error instanceof RpcRefusal && error.data !== undefined && error.data.length >= 10 ? registryInterface.parseError(error.data) : null;
    if (revert === null) throw error;
    throw new Failure("ChainRejected", `${where}: ${wordsOf(revert.name, revert.args.map(String))}`, { cause: error });
  }
};

const wordsOf = (name: string, [first = ""]: readonly string[]): string => {
  if (name === "NotSubmitter") return "the registry does not allow this account to submit";
  if (name === "SizeNotGrowing") return `the registry has the larger size ${first} already; anchor a newer checkpoint`;
  if (name === "RootDiffers") return `the registry has the root ${first.slice(2)} at this size: the log has forked`;
  if (name === "NotOwner") return "only the registry's owner may do this";
  return `the registry refuses (${name})`;
};

interface Receipt {
  readonly status: string;
  readonly blockNumber: string;
  readonly gasUsed: string;
  readonly contractAddress?: string | null;
}

const waitForReceipt = async (ask: Ask, where: string, transaction: string, waitMs = 120_000): Promise<Receipt> => {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const receipt = await ask<Receipt | null>("eth_getTransactionReceipt", [transaction]);
    if (receipt !== null) return receipt;
    if (Date.now() > deadline)
      throw new Failure("ChainUnreachable", `${where}: the transaction ${transaction} is not mined after ${waitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};
