import { createHash } from "node:crypto";
import * as Piece from "@filoz/synapse-core/piece";
import {
  type Contract,
  type ContractTransactionReceipt,
  type ContractTransactionResponse,
  hexlify,
  type Result,
  toUtf8Bytes,
} from "ethers";
import { pieceTree, proofOf } from "./commitment.ts";
import { challengeWindow, type SimulatedFilecoin } from "./network.ts";
import { type Failings, Refusal, serveProvider } from "./provider-api.ts";
import { checkAdding, checkCreating, checkRemoving } from "./signatures.ts";

/**
 * A simulator of a storage provider: the HTTP API of Curio's PDP service as the Synapse SDK calls it (uploads, pulls, data sets,
 * removals, retrieval by piece CID). It computes each piece's commitment, checks the payer's signatures, writes to the simulated contracts
 * with a key of its own, and proves possession from the bytes that it really holds.
 */
export interface SimulatedProvider {
  readonly id: number;
  readonly failings: Failings;
  /** What it holds, by piece CID. */
  readonly pieces: Map<string, Buffer>;
  /** Method and path of each request. */
  readonly requests: string[];
  /** Starts the next proving period, goes to its challenge, and answers that; throws what the contract says when it cannot. */
  readonly prove: (dataSet: bigint) => Promise<void>;
  /** Only starts the next period. */
  readonly startPeriod: (dataSet: bigint) => Promise<void>;
  readonly terminate: (dataSet: bigint) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** The same bytes come to each provider: their commitment is computed once. */
const commitments = new Map<string, string>();
const commitmentOf = (bytes: Buffer): string => {
  const hash = createHash("sha256").update(bytes).digest("hex");
  const found = commitments.get(hash) ?? Piece.calculate(bytes).toString();
  commitments.set(hash, found);
  return found;
};

const cidBytes = (cid: string): string => hexlify(Piece.parse(cid).bytes);

export const startProvider = async (network: SimulatedFilecoin): Promise<SimulatedProvider> => {
  const { signer, address } = await network.account();
  const contract = network.contract.connect(signer) as Contract;
  const contractAddress = network.contracts.pdp;
  const pieces = new Map<string, Buffer>();
  const failings: Failings = {};
  const requests: string[] = [];
  const receipts = new Map<string, ContractTransactionReceipt>();

  const read = async <T>(name: string, ...args: unknown[]): Promise<T> => (await contract.getFunction(name)(...args)) as T;
  const send = async (name: string, ...args: unknown[]): Promise<string> => {
    try {
      const sent = (await contract.getFunction(name)(...args)) as ContractTransactionResponse;
      const mined = sent.wait().then(
        (receipt) => void receipts.set(sent.hash, receipt!),
        (error: { receipt?: ContractTransactionReceipt }) => {
          // It failed in its block, as what a contract takes once does when it is sent twice.
          if (error.receipt === undefined || !failings.answersEarly) throw error;
          receipts.set(sent.hash, error.receipt);
        },
      );
      if (failings.answersEarly) mined.catch(() => {});
      else await mined;
      return sent.hash;
    } catch (error) {
      // A failed estimate takes no nonce.
      signer.reset();
      const { revert, reason, message } = error as { revert?: { name?: string }; reason?: string; message: string };
      throw new Refusal(500, `Failed to send transaction: ${revert?.name === "Error" ? reason : (revert?.name ?? reason ?? message)}`);
    }
  };
  const eventOf = (hash: string, name: string): Result | undefined =>
    receipts
      .get(hash)
      ?.logs.map((log) => contract.interface.parseLog(log))
      .find((log) => log?.name === name)?.args;

  const addPieces = async (dataSet: bigint, cids: readonly string[], extraData: string): Promise<string> => {
    for (const cid of cids) if (!pieces.has(cid)) throw new Refusal(400, `piece ${cid} is not here`);
    if (failings.pretends) return send("mint", address, 1);
    const data = cids.map((cid) => ({ data: cidBytes(cid) }));
    return send("addPieces", dataSet, contractAddress, data, extraData);
  };

  const work = {
    park: (cid: string, bytes: Buffer) => {
      if (commitmentOf(bytes) !== cid) throw new Refusal(400, "the calculated CommP does not match the piece CID");
      pieces.set(cid, bytes);
    },
    has: (cid: string) => pieces.has(cid),
    create: async (cids: readonly string[], extraData: string) => {
      await checkCreating(network, address, cids.map(cidBytes), extraData);
      return addPieces(0n, cids, extraData);
    },
    add: async (dataSet: bigint, cids: readonly string[], extraData: string) => {
      await checkAdding(network, dataSet, cids.map(cidBytes), extraData);
      return addPieces(dataSet, cids, extraData);
    },
    remove: async (dataSet: bigint, piece: bigint, extraData: string) => {
      await checkRemoving(network, dataSet, piece, extraData);
      return send("schedulePieceDeletions", dataSet, [piece], extraData);
    },
    createdBy: (hash: string): bigint => eventOf(hash, "DataSetCreated")!.setId,
    addedBy: (hash: string): bigint[] | undefined => {
      const receipt = receipts.get(hash);
      // What a provider only pretends to add is in a block, too.
      return receipt === undefined ? undefined : receipt.status === 0 ? [] : [...(eventOf(hash, "PiecesAdded")?.pieceIds ?? [0n])];
    },
    bytesOf: (cid: string): Buffer => {
      const bytes = failings.lies ?? pieces.get(cid);
      if (bytes === undefined || failings.loses) throw new Refusal(404, "piece not found");
      return bytes;
    },
  };

  const { url, server } = await serveProvider(work, failings, requests);
  const offering = Object.entries({
    serviceURL: toUtf8Bytes(url),
    minPieceSizeInBytes: "0x7f",
    maxPieceSizeInBytes: "0x40000000",
    storagePricePerTibPerDay: "0x01",
    minProvingPeriodInEpochs: "0x1e",
    location: toUtf8Bytes("C=XX;ST=Nowhere;L=Simulated"),
    paymentTokenAddress: contractAddress,
  });
  await send("register", address, "simulated", Object.keys(Object.fromEntries(offering)), Object.values(Object.fromEntries(offering)));
  const id = Number(await read("getProviderIdByAddress", address));

  const startPeriod = async (dataSet: bigint): Promise<void> => {
    const [current, epoch, [period]] = await Promise.all([
      read<bigint>("provingDeadline", dataSet),
      network.epoch(),
      read<bigint[]>("getPDPConfig"),
    ]);
    // What the contract will take as the deadline of the period that starts with the next block.
    let deadline = Number(current) === 0 ? epoch + 1 + Number(period) : Number(current) + Number(period);
    while (deadline < epoch + 1) deadline += Number(period);
    await send("nextProvingPeriod", dataSet, deadline - Math.floor(challengeWindow / 2), "0x");
  };

  const answerTo = async (dataSet: bigint, number: number): Promise<{ leaf: string; proof: string[] }> => {
    const [pieceId, offset] = await read<[bigint, bigint]>("findLeaf", dataSet, await read<bigint>("challenged", dataSet, number));
    const { data } = await read<{ data: `0x${string}` }>("getPieceCid", dataSet, pieceId);
    const cid = Piece.hexToPieceCID(data).toString();
    const bytes = pieces.get(cid);
    if (bytes === undefined || failings.loses) throw new Error(`provider ${id} has lost ${cid} and cannot prove it`);
    return proofOf(pieceTree(bytes), Number(offset));
  };

  return {
    id,
    failings,
    pieces,
    requests,
    startPeriod,
    prove: async (dataSet) => {
      await startPeriod(dataSet);
      const challenge = Number(await read<bigint>("getNextChallengeEpoch", dataSet));
      await network.mine(Math.max(0, challenge - (await network.epoch())));
      const proofs = [];
      for (let number = 0; number < 5; number += 1) proofs.push(await answerTo(dataSet, number));
      await send("provePossession", dataSet, proofs);
    },
    terminate: async (dataSet) => void (await send("terminateService", dataSet)),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
