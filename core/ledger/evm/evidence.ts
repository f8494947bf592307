import { Failure } from "../../domain/failure.ts";
import type { EvmEvidence } from "../verify/evm-evidence.ts";
import { firstAnswer } from "./agree.ts";
import { type ChainBlock, encodeHeader, encodeReceipt, encodeTransaction } from "./block-encoding.ts";
import type { RegistryHead, RegistryPlace } from "./registry.ts";
import { type Ask, RpcRefusal } from "./rpc.ts";
import { anchoredLogIndex, type ChainReceipt } from "./status.ts";
import { proofInList } from "./trie.ts";

/**
 * All that shows, without the chain, that a mined transaction recorded the checkpoint: the block's header, and proofs of transaction and
 * receipt in its tries. Everything is checked against the block's hash here, so the first node that can show it suffices. Throws `ChainUnreachable`, and `ChainRejected` when the
 * transaction is not mined, did not record this checkpoint, or the chain's blocks are of a kind that cannot be proven.
 */
export const collectEvidence = (place: RegistryPlace & RegistryHead & { readonly transaction: string }): Promise<EvmEvidence> =>
  firstAnswer(place, async (ask, where) => {
    const receipt = await ask<ChainReceipt | null>("eth_getTransactionReceipt", [place.transaction]);
    if (receipt === null) throw new Failure("ChainRejected", `${where}: the transaction ${place.transaction} is not mined`);
    const logIndex = anchoredLogIndex(receipt, place);
    if (logIndex < 0)
      throw new Failure("ChainRejected", `${where}: the transaction ${place.transaction} did not record size ${place.size} of the log`);
    const block = await ask<ChainBlock | null>("eth_getBlockByHash", [receipt.blockHash, true]);
    if (block === null) throw new Failure("ChainUnreachable", `${where}: the node does not show the block ${receipt.blockHash}`);
    const header = encodeHeader(block);
    if (header === undefined) throw unprovable(where, "headers have fields that are not known here");
    const transactionIndex = Number(receipt.transactionIndex);
    const receipts = await receiptsOf(ask, block);
    const receiptTrie = proofInList(receipts.map(encodeReceipt), transactionIndex);
    if (receiptTrie.root !== block.receiptsRoot) throw unprovable(where, "receipts do not hash to the header's receiptsRoot");
    const transactions: string[] = [];
    for (const transaction of block.transactions) transactions.push(await encodeTransaction(ask, transaction));
    const transactionTrie = proofInList(transactions, transactionIndex);
    if (transactionTrie.root !== block.transactionsRoot)
      throw unprovable(where, "transactions do not hash to the header's transactionsRoot");
    return {
      kind: "evm",
      chainId: place.chainId,
      contract: place.contract.toLowerCase(),
      transaction: place.transaction.toLowerCase(),
      block: Number(block.number),
      blockHash: block.hash,
      time: new Date(Number(block.timestamp) * 1000).toISOString(),
      header,
      transactionIndex,
      transactionProof: transactionTrie.nodes,
      receiptProof: receiptTrie.nodes,
      logIndex,
    };
  });

const unprovable = (where: string, why: string): Failure =>
  new Failure("ChainRejected", `${where}: its blocks cannot be proven offline, because their ${why}`);

/** In one request where the node knows it, otherwise one by one. */
const receiptsOf = async (ask: Ask, block: ChainBlock): Promise<ChainReceipt[]> => {
  try {
    const all = await ask<ChainReceipt[] | null>("eth_getBlockReceipts", [block.number]);
    if (all?.length === block.transactions.length && all.every(({ blockHash }) => blockHash === block.hash)) return all;
  } catch (error) {
    if (!(error instanceof RpcRefusal)) throw error;
  }
  const receipts: ChainReceipt[] = [];
  for (const { hash } of block.transactions) receipts.push(await ask<ChainReceipt>("eth_getTransactionReceipt", [hash]));
  return receipts;
};
