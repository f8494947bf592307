import { Failure } from "../../domain/failure.ts";
import { type RegistryHead, type RegistryPlace, readRecord, registryInterface } from "./registry.ts";
import { type Ask, withChain } from "./rpc.ts";

/**
 * `pending`: known and not mined, or moved to another block at this moment. `mined`: in a block that could still be replaced. `finalized`: in a
 * block that the chain calls final, whose hash is the canonical one at that height now. `dropped`: the node knows nothing of it, or it
 * was not the one that recorded the checkpoint; submit again.
 */
export type AnchorStatus =
  | { readonly status: "pending" | "dropped" }
  | { readonly status: "mined" | "finalized"; readonly block: number; readonly blockHash: string; readonly time: string };

export interface ChainLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}

export interface ChainReceipt {
  readonly transactionHash: string;
  readonly transactionIndex: string;
  readonly type?: string;
  readonly status: string;
  readonly cumulativeGasUsed: string;
  readonly logsBloom: string;
  readonly logs: readonly ChainLog[];
  readonly blockNumber: string;
  readonly blockHash: string;
  /** Of deposits on OP Stack chains. */
  readonly depositNonce?: string;
  readonly depositReceiptVersion?: string;
}

interface BlockHead {
  readonly number: string;
  readonly hash: string;
  readonly timestamp: string;
}

/** How far a submitted checkpoint has come. Throws `ChainUnreachable`, and `ChainRejected` when the transaction failed or the chain knows no finality. */
export const anchorStatus = (place: RegistryPlace & RegistryHead & { readonly transaction: string }): Promise<AnchorStatus> =>
  withChain(place, async (ask, where): Promise<AnchorStatus> => {
    // The final head comes first: what is read after it is at least as new.
    const finalized = await finalHead(ask, where);
    const receipt = await ask<ChainReceipt | null>("eth_getTransactionReceipt", [place.transaction]);
    if (receipt === null) {
      const known = await ask<unknown>("eth_getTransactionByHash", [place.transaction]);
      return { status: known === null ? "dropped" : "pending" };
    }
    if (receipt.status !== "0x1" || anchoredLogIndex(receipt, place) < 0) {
      const recorded = await readRecord(ask, where, place);
      if (recorded?.root === place.root) return { status: "dropped" };
      throw new Failure("ChainRejected", `${where}: the transaction ${place.transaction} was mined and did not record the checkpoint`);
    }
    const canonical = await ask<BlockHead | null>("eth_getBlockByNumber", [receipt.blockNumber, false]);
    if (canonical?.hash !== receipt.blockHash) return { status: "pending" };
    const block = Number(receipt.blockNumber);
    const time = new Date(Number(canonical.timestamp) * 1000).toISOString();
    return { status: block <= finalized ? "finalized" : "mined", block, blockHash: receipt.blockHash, time };
  });

const finalHead = async (ask: Ask, where: string): Promise<number> => {
  const head = await ask<BlockHead | null>("eth_getBlockByNumber", ["finalized", false]);
  if (head === null) throw new Failure("ChainRejected", `${where}: the node names no finalized block`);
  return Number(head.number);
};

/** Where in the receipt's logs the registry's event for this checkpoint is; -1 when it is not there. */
export const anchoredLogIndex = (receipt: ChainReceipt, { contract, logId, size, root }: RegistryPlace & RegistryHead): number => {
  const topics = registryInterface.encodeFilterTopics("Anchored", [`0x${logId}`, size]);
  return receipt.logs.findIndex(
    (log) =>
      log.address.toLowerCase() === contract.toLowerCase() &&
      log.data === `0x${root}` &&
      log.topics.length === topics.length &&
      log.topics.every((topic, at) => topic === topics[at]),
  );
};
