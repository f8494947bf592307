import { getAddress, keccak256, Wallet } from "ethers";
import { Failure } from "../../domain/failure.ts";
import { type Ask, RpcRefusal } from "./rpc.ts";

export interface Call {
  /** Private key of the account that sends and pays, as hex. */
  readonly key: string;
  /** Undefined creates a contract. */
  readonly to: string | undefined;
  readonly data: string;
  /** The most that is offered per gas, in gwei. */
  readonly maxFeeGwei: number;
}

/**
 * Signs and broadcasts a transaction and returns its hash, without waiting for it to be mined. It takes the account's first nonce that
 * is not mined: what an earlier attempt left in the pool is replaced (or found to be the same), so that of two attempts one is mined.
 * Throws `CostCapExceeded` when the cap lies below what the chain asks for now.
 */
export const sendTransaction = async (ask: Ask, where: string, chainId: number, call: Call): Promise<string> => {
  const wallet = walletOf(call.key, where);
  const request = { from: wallet.address, to: call.to, data: call.data };
  // Not against the pending block, as some nodes would: an earlier attempt in it makes this one look cheaper than it will be.
  const gas = BigInt(await ask<string>("eth_estimateGas", [request, "latest"]));
  const cap = BigInt(Math.round(call.maxFeeGwei * 1e9));
  let { maxFeePerGas, maxPriorityFeePerGas } = await feesBelow(ask, where, cap);
  for (let attempt = 0; attempt < 8; attempt++) {
    const nonce = Number(await ask<string>("eth_getTransactionCount", [wallet.address, "latest"]));
    const fields = { type: 2, chainId, nonce, data: call.data, gasLimit: (gas * 6n) / 5n, maxFeePerGas, maxPriorityFeePerGas };
    const signed = await wallet.signTransaction(call.to === undefined ? fields : { ...fields, to: call.to });
    const outcome = await broadcast(ask, signed);
    if (outcome === "sent") return keccak256(signed);
    if (outcome === "underpriced") {
      if (maxFeePerGas === cap) throw tooDear(where, call.maxFeeGwei, "replacing the account's pending transaction");
      [maxFeePerGas, maxPriorityFeePerGas] = [atMost(raised(maxFeePerGas), cap), atMost(raised(maxPriorityFeePerGas), cap)];
    }
  }
  throw new Failure("ChainUnreachable", `${where}: the account ${wallet.address} is used by somebody else at the same time`);
};

const walletOf = (key: string, where: string): Wallet => {
  try {
    return new Wallet(key);
  } catch {
    throw new Failure("ConfigurationInvalid", `${where}: the submitter's key is not a private key of 32 bytes in hex`);
  }
};

const feesBelow = async (ask: Ask, where: string, cap: bigint): Promise<{ maxFeePerGas: bigint; maxPriorityFeePerGas: bigint }> => {
  const block = await ask<{ baseFeePerGas?: string }>("eth_getBlockByNumber", ["latest", false]);
  const base = BigInt(block.baseFeePerGas ?? "0x0");
  if (base >= cap) throw tooDear(where, Number(cap) / 1e9, `the base fee, ${(Number(base) / 1e9).toPrecision(3)} gwei,`);
  const tip = BigInt(await ask<string>("eth_maxPriorityFeePerGas", []));
  return { maxFeePerGas: atMost(2n * base + tip, cap), maxPriorityFeePerGas: atMost(tip, cap - base) };
};

const tooDear = (where: string, capGwei: number, what: string): Failure =>
  new Failure("CostCapExceeded", `${where}: ${what} would cost more than the cap of ${capGwei} gwei per gas`);

const atMost = (value: bigint, limit: bigint): bigint => (value < limit ? value : limit);
/** Nodes ask for a tenth more to replace a transaction, some for an eighth. */
const raised = (fee: bigint): bigint => (fee * 5n) / 4n + 1n;

/** Nodes have no codes for these answers, only words; geth's are the model. */
const broadcast = async (ask: Ask, signed: string): Promise<"sent" | "underpriced" | "mined meanwhile"> => {
  try {
    await ask("eth_sendRawTransaction", [signed]);
    return "sent";
  } catch (error) {
    if (!(error instanceof RpcRefusal)) throw error;
    if (/already (known|imported)|known transaction/i.test(error.message)) return "sent";
    if (/underpriced/i.test(error.message)) return "underpriced";
    if (/nonce (is )?too low/i.test(error.message)) return "mined meanwhile";
    throw error;
  }
};

/** The address that a private key belongs to, with its checksum. Throws `ConfigurationInvalid`. */
export const addressOfKey = (key: string): string => getAddress(walletOf(key, "chain").address);
