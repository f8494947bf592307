import { getAddress, keccak256, Wallet } from "ethers";
import { Failure, isFailure } from "../../domain/failure.ts";
import { reached, readAgreed } from "./agree.ts";
import { type Ask, type ChainPlace, nodesOf, RpcRefusal, whereOf, withChain } from "./rpc.ts";

export interface Call {
  /** Private key of the account that sends and pays, as hex. */
  readonly key: string;
  /** Undefined creates a contract. */
  readonly to: string | undefined;
  readonly data: string;
  /** The most that is offered per gas, in gwei. */
  readonly maxFeeGwei: number;
}

/** A transaction that was signed, and may be on its way. */
export interface SignedTransaction {
  /** Its hash. */
  readonly transaction: string;
  readonly nonce: number;
  /** As it is broadcast. */
  readonly raw: string;
  /** What is offered per gas, in wei. */
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  /** The most that it can cost, in wei. */
  readonly maxCost: bigint;
}

/** What a node says before a transaction is made. In wei, and units of gas. */
export interface Market {
  /** The account's first nonce that is not mined. */
  readonly nonce: bigint;
  readonly gas: bigint;
  readonly baseFee: bigint;
  readonly tip: bigint;
}

const readMarket = async (ask: Ask, { key, to, data }: Call, where: string): Promise<Market> => {
  const from = walletOf(key, where).address;
  // Not against the pending block, as some nodes would: an earlier attempt in it makes this one look cheaper than it will be.
  const gas = BigInt(await ask<string>("eth_estimateGas", [{ from, to, data }, "latest"]));
  const { baseFeePerGas } = await ask<{ baseFeePerGas?: string }>("eth_getBlockByNumber", ["latest", false]);
  const tip = BigInt(await ask<string>("eth_maxPriorityFeePerGas", []));
  const nonce = BigInt(await ask<string>("eth_getTransactionCount", [from, "latest"]));
  return { nonce, gas, baseFee: BigInt(baseFeePerGas ?? "0x0"), tip };
};

/** One market of what several nodes say. */
const agreedMarket = (markets: readonly Market[], quorum: number): Market => {
  const of = (pick: (market: Market) => bigint): bigint => reached(markets.map(pick), quorum);
  return { nonce: of(({ nonce }) => nonce), gas: of(({ gas }) => gas), baseFee: of(({ baseFee }) => baseFee), tip: of(({ tip }) => tip) };
};

/**
 * Signs a call for the market as it is; `over` is a transaction with the same nonce that it shall replace. Throws `CostCapExceeded` when
 * the cap lies below what the chain, or a replacement, asks for.
 */
const signCall = async (
  chainId: number,
  where: string,
  call: Call,
  market: Market,
  over?: Pick<SignedTransaction, "maxFeePerGas" | "maxPriorityFeePerGas">,
): Promise<SignedTransaction> => {
  const cap = BigInt(Math.round(call.maxFeeGwei * 1e9));
  const { baseFee, tip } = market;
  if (baseFee >= cap) throw tooDear(where, call.maxFeeGwei, `the base fee, ${(Number(baseFee) / 1e9).toPrecision(3)} gwei,`);
  const least = over === undefined ? { fee: 0n, tip: 0n } : { fee: raised(over.maxFeePerGas), tip: raised(over.maxPriorityFeePerGas) };
  const maxFeePerGas = atMost(atLeast(2n * baseFee + tip, least.fee), cap);
  const maxPriorityFeePerGas = atMost(atLeast(tip, least.tip), cap - baseFee);
  if (maxFeePerGas < least.fee || maxPriorityFeePerGas < least.tip)
    throw tooDear(where, call.maxFeeGwei, "replacing the account's pending transaction");
  const gasLimit = (market.gas * 6n) / 5n;
  const nonce = Number(market.nonce);
  const fields = { type: 2, chainId, nonce, data: call.data, gasLimit, maxFeePerGas, maxPriorityFeePerGas };
  const raw = await walletOf(call.key, where).signTransaction(call.to === undefined ? fields : { ...fields, to: call.to });
  return { transaction: keccak256(raw), nonce, raw, maxFeePerGas, maxPriorityFeePerGas, maxCost: gasLimit * maxFeePerGas };
};

type Outcome = "sent" | "underpriced" | "mined meanwhile";

/**
 * Broadcasts through every node: one that takes it suffices. Nodes have no codes for their answers, only words; geth's are the model.
 * Throws `ChainUnreachable` when no node could be asked, and the node's refusal.
 */
export const broadcast = async (place: ChainPlace, raw: string): Promise<Outcome> => {
  const results = await Promise.allSettled(nodesOf(place).map((node) => withChain(node, (ask) => broadcastBy(ask, raw))));
  const outcomes = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  for (const outcome of ["sent", "underpriced", "mined meanwhile"] as const) if (outcomes.includes(outcome)) return outcome;
  const reasons = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  throw reasons.find((reason) => isFailure(reason, "ChainRejected")) ?? reasons[0];
};

const broadcastBy = async (ask: Ask, raw: string): Promise<Outcome> => {
  try {
    await ask("eth_sendRawTransaction", [raw]);
    return "sent";
  } catch (error) {
    if (!(error instanceof RpcRefusal)) throw error;
    if (/already (known|imported)|known transaction/i.test(error.message)) return "sent";
    if (/underpriced/i.test(error.message)) return "underpriced";
    if (/nonce (is )?too low/i.test(error.message)) return "mined meanwhile";
    throw error;
  }
};

/**
 * Signs and broadcasts a transaction and returns its hash, without waiting for it to be mined. It takes the account's first nonce that
 * is not mined: what an earlier attempt left in the pool is replaced (or found to be the same), so that of two attempts one is mined.
 * `over` is a transaction that is known to be pending, and is replaced; `remember` is told of each one before anybody else is.
 * Throws `CostCapExceeded` when the cap lies below what the chain asks for now.
 */
export const sendTransaction = async (
  place: ChainPlace,
  call: Call,
  { over, remember = async () => {}, explain = (_where, work) => work() }: SendOptions = {},
): Promise<string> => {
  const where = whereOf(place);
  const read = (): Promise<Market> => readAgreed(place, "fees", (ask, at) => explain(at, () => readMarket(ask, call, at)), agreedMarket);
  let replaced = over;
  let market = await read();
  for (let attempt = 0; attempt < 8; attempt++) {
    const signed = await signCall(place.chainId, where, call, market, replaced?.nonce === Number(market.nonce) ? replaced : undefined);
    await remember(signed);
    const outcome = await broadcast(place, signed.raw);
    if (outcome === "sent") return signed.transaction;
    if (outcome === "underpriced") replaced = signed;
    else market = await read();
  }
  const { address } = walletOf(call.key, where);
  throw new Failure("ChainUnreachable", `${where}: the account ${address} is used by somebody else at the same time`);
};

export interface SendOptions {
  readonly over?: SignedTransaction | undefined;
  remember?(signed: SignedTransaction): Promise<void>;
  /** Puts a node's refusal into words. */
  explain?<T>(where: string, work: () => Promise<T>): Promise<T>;
}

const walletOf = (key: string, where: string): Wallet => {
  try {
    return new Wallet(key);
  } catch {
    throw new Failure("ConfigurationInvalid", `${where}: the submitter's key is not a private key of 32 bytes in hex`);
  }
};

const tooDear = (where: string, capGwei: number, what: string): Failure =>
  new Failure("CostCapExceeded", `${where}: ${what} would cost more than the cap of ${capGwei} gwei per gas`);

const atMost = (value: bigint, limit: bigint): bigint => (value < limit ? value : limit);
const atLeast = (value: bigint, limit: bigint): bigint => (value > limit ? value : limit);
/** Nodes ask for a tenth more to replace a transaction, some for an eighth. */
const raised = (fee: bigint): bigint => (fee * 5n) / 4n + 1n;

/** How many transactions of the account are mined, as a quorum of the nodes sees it. */
export const minedNonce = async (place: ChainPlace, key: string): Promise<number> => {
  const count = ["eth_getTransactionCount", [walletOf(key, whereOf(place)).address, "latest"]] as const;
  return Number(await readAgreed(place, "the account's nonce", async (ask) => BigInt(await ask<string>(...count)), reached));
};

/** The address that a private key belongs to, with its checksum. Throws `ConfigurationInvalid`. */
export const addressOfKey = (key: string): string => getAddress(walletOf(key, "chain").address);
