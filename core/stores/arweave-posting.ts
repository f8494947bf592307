import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../domain/failure.ts";
import { type GatewayCall, transactionState } from "./arweave-gateway.ts";
import type { Wallet } from "./arweave-wallet.ts";
import { failureOfStatus } from "./http-failure.ts";

export type SignedTransaction = Awaited<ReturnType<GatewayCall["createTransaction"]>>;

/** Bytes that travel with the transaction itself. */
export const largestChunk = 256 << 10;

/** What one object costs at the moment, in winston (10^-12 AR). Throws `CostCapExceeded` and, for a poor wallet, `StoreFull`. */
export const quote = async (arweave: GatewayCall, what: string, bytes: number, cap: bigint, address: string): Promise<bigint> => {
  const price = BigInt(await arweave.transactions.getPrice(bytes));
  if (price > cap) {
    throw new Failure("CostCapExceeded", `${what} (${bytes} bytes) would cost ${price} winston, and the cap (maxWinston) is ${cap}`);
  }
  const { data } = await arweave.api.get<unknown>(`wallet/${address}/balance`);
  const balance = /^\d+(\.\d+)?$/.test(String(data)) ? BigInt(String(data).split(".")[0]!) : 0n;
  if (balance < price) {
    throw new Failure("StoreFull", `${what} costs ${price} winston, and the wallet ${address} holds ${balance}`);
  }
  return price;
};

/** A signed transaction that carries `data`. */
export const signTransaction = async (
  arweave: GatewayCall,
  wallet: Wallet,
  data: Uint8Array,
  tags: [name: string, value: string][],
  reward: bigint,
): Promise<SignedTransaction> => {
  const transaction = await arweave.createTransaction({ data, reward: String(reward) }, wallet.key);
  for (const [name, value] of tags) transaction.addTag(name, value);
  await arweave.transactions.sign(transaction, wallet.key);
  return transaction;
};

/** Posts the transaction itself; its data only when it is a single chunk (256 KiB), else `postChunks` must follow. */
export const postTransaction = async (arweave: GatewayCall, what: string, transaction: SignedTransaction): Promise<void> => {
  const { status, data } = await send(arweave, transaction);
  if (isTaken(status)) return;
  const words = typeof data === "string" ? data : JSON.stringify(data);
  if (/enough tokens|overspend|insufficient/i.test(words)) throw new Failure("StoreFull", `${what}: the wallet's balance does not suffice`);
  if (status === 404) throw new Failure("StoreUnreachable", `${what}: the gateway lost the transaction`);
  throw failureOfStatus(what, status, "", undefined);
};

/**
 * The same for one that was signed some time ago. False: the network takes it no more, since the block that it was signed after is too long ago, and so never
 * will; nothing was paid for it.
 */
export const postAgain = async (arweave: GatewayCall, what: string, transaction: SignedTransaction): Promise<boolean> => {
  const { status } = await send(arweave, transaction);
  if (!isTaken(status) && status !== 400 && status !== 410) throw failureOfStatus(what, status, "", undefined);
  return isTaken(status);
};

const send = (arweave: GatewayCall, transaction: SignedTransaction) => {
  const json = transaction.toJSON();
  return arweave.api.post<unknown>("tx", { ...json, data: isSingleChunk(transaction) ? json.data : "" });
};

const isTaken = (status: number): boolean => status === 200 || status === 202 || status === 208;

export const isSingleChunk = (transaction: SignedTransaction): boolean => (transaction.chunks?.chunks.length ?? 0) <= 1;

/** Posts the data, chunk by chunk; repeating that is harmless. (The library's own uploader waits 40 s after an error, deaf to signals.) */
export const postChunks = async (
  arweave: GatewayCall,
  what: string,
  transaction: SignedTransaction,
  data: Uint8Array,
  signal: AbortSignal,
): Promise<void> => {
  for (let index = 0; index < (transaction.chunks?.chunks.length ?? 0); index += 1) {
    for (let attempt = 1; ; attempt += 1) {
      const { status } = await arweave.api.post("chunk", transaction.getChunk(index, data));
      if (status === 200 || status === 208) break;
      if (attempt === 3) throw failureOfStatus(`${what}, chunk ${index}`, status, "", undefined);
      await pause(attempt * 500, undefined, { signal });
    }
  }
};

/** Waits until the gateway knows the transaction, as pending or confirmed; `StoreUnreachable` when it does not within `ms`. */
export const awaitAccepted = async (arweave: GatewayCall, what: string, id: string, ms: number, signal: AbortSignal): Promise<void> => {
  const deadline = performance.now() + ms;
  while ((await transactionState(arweave, id)) === "missing") {
    if (performance.now() > deadline) {
      throw new Failure("StoreUnreachable", `${what}: the gateway took the transaction ${id}, and does not know it`);
    }
    await pause(500, undefined, { signal });
  }
};
