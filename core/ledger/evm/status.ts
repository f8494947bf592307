import { Failure } from "../../domain/failure.ts";
import { readAgreed } from "./agree.ts";
import { type RegistryHead, type RegistryPlace, readRecord, registryInterface } from "./registry.ts";
import type { Ask } from "./rpc.ts";

/**
 * `pending`: known and not mined, or moved to another block at this moment. `mined`: in a block that could still be replaced. `finalized`: in a
 * block that the chain calls final, whose hash is the canonical one at that height now. `dropped`: the node knows nothing of it, or it
 * was not the one that recorded the checkpoint; submit again.
 */
export type AnchorStatus =
  | { readonly status: "pending" | "dropped" }
  | {
      readonly status: "mined" | "finalized";
      readonly block: number;
      readonly blockHash: string;
      readonly time: string;
      /** What was paid, in wei. */
      readonly cost: string;
    };

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
  readonly gasUsed: string;
  readonly effectiveGasPrice?: string;
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

/**
 * How far a submitted checkpoint has come. With several nodes a quorum must see it mined in the same block, final, or dropped; what they
 * see differently is `pending`, unless they call different blocks final. Throws `ChainUnreachable`, and `ChainRejected` when the transaction failed or the
 * chain knows no finality.
 */
export const anchorStatus = (place: RegistryPlace & RegistryHead & { readonly transaction: string }): Promise<AnchorStatus> =>
  readAgreed(place, `the transaction ${place.transaction}`, (ask, where) => statusAt(ask, where, place), agreedStatus);

const agreedStatus = (answers: readonly AnchorStatus[], quorum: number): AnchorStatus | undefined => {
  const inBlocks = answers.filter((answer) => "blockHash" in answer);
  const finals = inBlocks.filter(({ status }) => status === "finalized");
  const sameBlock = (among: typeof inBlocks, hash: string): boolean => among.filter(({ blockHash }) => blockHash === hash).length >= quorum;
  const final = finals.find(({ blockHash }) => sameBlock(finals, blockHash));
  if (final !== undefined) return final;
  if (new Set(finals.map(({ blockHash }) => blockHash)).size > 1) return undefined;
  const mined = inBlocks.find(({ blockHash }) => sameBlock(inBlocks, blockHash));
  if (mined !== undefined) return { ...mined, status: "mined" };
  return { status: answers.filter(({ status }) => status === "dropped").length >= quorum ? "dropped" : "pending" };
};

const statusAt = async (
  ask: Ask,
  where: string,
  place: RegistryPlace & RegistryHead & { readonly transaction: string },
): Promise<AnchorStatus> => {
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
  const cost = String(BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice ?? "0x0"));
  return { status: block <= finalized ? "finalized" : "mined", block, blockHash: receipt.blockHash, time, cost };
};

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
