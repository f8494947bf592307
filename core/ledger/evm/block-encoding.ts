import { encodeRlp, getBytes, keccak256, type RlpStructuredData, Transaction, type TransactionLike, toBeArray } from "ethers";
import type { Ask } from "./rpc.ts";
import type { ChainReceipt } from "./status.ts";

/** Consensus encodings of what a node tells in JSON. Each can be checked by its hash, and the caller does. */

export type ChainBlock = Readonly<Record<string, unknown>> & {
  readonly hash: string;
  readonly number: string;
  readonly timestamp: string;
  readonly transactions: readonly ChainTransaction[];
};

export type ChainTransaction = Readonly<Record<string, unknown>> & { readonly hash: string };

const quantity = (value: unknown): string => (BigInt(value as string) === 0n ? "0x" : encodeQuantity(value as string));
const encodeQuantity = (value: string): string => `0x${Buffer.from(toBeArray(BigInt(value))).toString("hex")}`;
const present = (value: unknown): boolean => value !== undefined && value !== null;

/** In the order of the header; what a fork has not brought yet is absent, and nothing comes after an absent one. */
const headerFields: readonly (readonly [name: string, encode: (value: unknown) => string])[] = [
  ...["parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"].map(
    (name) => [name, String] as const,
  ),
  ...["difficulty", "number", "gasLimit", "gasUsed", "timestamp"].map((name) => [name, quantity] as const),
  ...["extraData", "mixHash", "nonce"].map((name) => [name, String] as const),
  ["baseFeePerGas", quantity],
  ["withdrawalsRoot", String],
  ["blobGasUsed", quantity],
  ["excessBlobGas", quantity],
  ["parentBeaconBlockRoot", String],
  ["requestsHash", String],
];

/** The header in RLP; undefined when it does not hash to the block's hash, as on a chain with fields that are not known here. */
export const encodeHeader = (block: ChainBlock): string | undefined => {
  const encoded = encodeRlp(headerFields.filter(([name]) => present(block[name])).map(([name, encode]) => encode(block[name])));
  return keccak256(encoded) === block.hash ? encoded : undefined;
};

export const encodeReceipt = (receipt: ChainReceipt): string => {
  const logs = receipt.logs.map(({ address, topics, data }): RlpStructuredData => [address, [...topics], data]);
  const fields: RlpStructuredData[] = [quantity(receipt.status), quantity(receipt.cumulativeGasUsed), receipt.logsBloom, logs];
  for (const extra of [receipt.depositNonce, receipt.depositReceiptVersion]) if (present(extra)) fields.push(quantity(extra));
  return withType(receipt.type, encodeRlp(fields));
};

const depositType = 0x7e;

/** The signed transaction. A type that ethers does not know is asked for in raw form. */
export const encodeTransaction = async (ask: Ask, transaction: ChainTransaction): Promise<string> => {
  const encoded = Number(transaction.type) === depositType ? encodeDeposit(transaction) : encodeSigned(transaction);
  if (encoded !== undefined && keccak256(encoded) === transaction.hash) return encoded;
  return (await ask<string | null>("eth_getRawTransactionByHash", [transaction.hash])) ?? "0x";
};

const encodeSigned = (json: ChainTransaction): string | undefined => {
  try {
    const { input, gas, from: _, hash: __, ...rest } = json as Record<string, unknown>;
    const { r, s, v, yParity } = rest as Record<string, string>;
    const type = Number(rest.type ?? 0);
    const signature = { r, s, v: type === 0 ? v : Number(yParity ?? v) + 27 };
    const fees = type >= 2 ? { gasPrice: null } : { maxFeePerGas: null, maxPriorityFeePerGas: null };
    const chainId = rest.chainId ?? undefined;
    const fields = { ...rest, ...fees, chainId, type, data: input, gasLimit: gas, nonce: Number(rest.nonce), signature };
    return Transaction.from(fields as unknown as TransactionLike<string>).serialized;
  } catch {
    return undefined;
  }
};

/** OP Stack specification, "deposited transactions". */
const encodeDeposit = (json: ChainTransaction): string => {
  const flag = json.isSystemTx === true ? "0x01" : "0x";
  const address = (name: string): string => (json[name] as string | null) ?? "0x";
  const amounts = [quantity(json.mint ?? "0x0"), quantity(json.value), quantity(json.gas)];
  return withType("0x7e", encodeRlp([json.sourceHash as string, address("from"), address("to"), ...amounts, flag, json.input as string]));
};

const withType = (type: string | undefined, encoded: string): string =>
  Number(type ?? 0) === 0 ? encoded : `0x${Buffer.from([Number(type), ...getBytes(encoded)]).toString("hex")}`;
