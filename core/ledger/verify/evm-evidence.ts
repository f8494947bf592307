import { keccak256 } from "./crypto.ts";
import { equalBytes, fromHex, sha256, toHex, utf8 } from "./hash.ts";
import { decodeRlp, numberOf, type Rlp, rlpOfIndex } from "./rlp.ts";
import { address, chainBytes, chainHash, count, exactly, listOf, object, positive, time } from "./shape.ts";
import { provenValue } from "./trie.ts";

/** What shows that a checkpoint is recorded by a registry contract in a certain block. Everything in it follows from `blockHash`. */
export interface EvmEvidence {
  readonly kind: "evm";
  readonly chainId: number;
  readonly contract: string;
  readonly transaction: string;
  readonly block: number;
  readonly blockHash: string;
  /** The block's own time. */
  readonly time: string;
  /** The block's header in RLP: its Keccak-256 is `blockHash`. */
  readonly header: string;
  readonly transactionIndex: number;
  /** Nodes of the trie under the header's transactionsRoot, from the root to the transaction. */
  readonly transactionProof: readonly string[];
  /** Nodes of the trie under the header's receiptsRoot, from the root to the transaction's receipt. */
  readonly receiptProof: readonly string[];
  /** Which of the receipt's logs is the registry's event. */
  readonly logIndex: number;
}

export const checkEvmEvidence = object({
  kind: exactly("evm"),
  chainId: positive,
  contract: address,
  transaction: chainHash,
  block: count,
  blockHash: chainHash,
  time,
  header: chainBytes,
  transactionIndex: count,
  transactionProof: listOf(chainBytes, 24),
  receiptProof: listOf(chainBytes, 24),
  logIndex: count,
});

/** What the registry calls a log: SHA-256 of its origin, as hex. */
export const registryLogId = (origin: string): string => toHex(sha256(utf8(origin)));

/** `Anchored(bytes32 indexed logId, uint64 indexed size, bytes32 root)` of contracts/AnchorRegistry.sol. */
const anchoredTopic = keccak256(utf8("Anchored(bytes32,uint64,bytes32)"));

const headerField = { transactionsRoot: 4, receiptsRoot: 5, number: 8, timestamp: 11 };

interface AnchoredHead {
  readonly origin: string;
  readonly size: number;
  /** Hex. */
  readonly root: string;
}

/**
 * Why `evidence` does not show that its contract recorded `head` in the block `blockHash`; undefined when it does. Whether that block
 * is one of the chain's, and final, is not to be found in it: that is for the trust policy to say.
 */
export const refuteEvmEvidence = (evidence: EvmEvidence, head: AnchoredHead): { field: string; reason: string } | undefined => {
  const no = (field: keyof EvmEvidence, reason: string) => ({ field, reason });
  const headerBytes = bytesOf(evidence.header);
  if (!equalBytes(keccak256(headerBytes), bytesOf(evidence.blockHash))) return no("header", "does not hash to blockHash");
  const header = listIn(decodeRlp(headerBytes));
  const [transactionsRoot, receiptsRoot] = [header[headerField.transactionsRoot], header[headerField.receiptsRoot]];
  if (!isHash(transactionsRoot) || !isHash(receiptsRoot)) return no("header", "is not a block header");
  if (numberOf(header[headerField.number]) !== evidence.block) return no("block", "is not the number in the block's header");
  const seconds = numberOf(header[headerField.timestamp]);
  if (seconds === undefined || seconds > 253_402_300_799 || new Date(seconds * 1000).toISOString() !== evidence.time) {
    return no("time", "is not the time in the block's header");
  }
  const key = rlpOfIndex(evidence.transactionIndex);
  const transaction = provenValue(transactionsRoot, key, evidence.transactionProof.map(bytesOf));
  if (transaction === undefined) return no("transactionProof", "does not lead from the block's transactionsRoot to the transaction");
  if (!equalBytes(keccak256(transaction), bytesOf(evidence.transaction)))
    return no("transaction", "is not the hash of the proven transaction");
  const chainId = chainIdOf(transaction);
  if (chainId !== undefined && chainId !== evidence.chainId) return no("chainId", `is not that of the transaction, ${chainId}`);
  const receipt = provenValue(receiptsRoot, key, evidence.receiptProof.map(bytesOf));
  if (receipt === undefined) return no("receiptProof", "does not lead from the block's receiptsRoot to the receipt");
  return refuteReceipt(receipt, evidence, head);
};

const refuteReceipt = (receipt: Uint8Array, evidence: EvmEvidence, head: AnchoredHead): { field: string; reason: string } | undefined => {
  const no = (field: keyof EvmEvidence, reason: string) => ({ field, reason });
  const [status, , , logs] = listIn(decodeRlp(withoutType(receipt)));
  if (numberOf(status) !== 1) return no("receiptProof", "leads to the receipt of a transaction that failed");
  const [emitter, topics, data] = listIn(listIn(logs)[evidence.logIndex]);
  if (!(emitter instanceof Uint8Array) || !(data instanceof Uint8Array)) return no("logIndex", "names no log of the receipt");
  if (!equalBytes(emitter, bytesOf(evidence.contract))) return no("contract", "is not the contract that emitted the event");
  const expected = [anchoredTopic, fromHex(registryLogId(head.origin)), fromHex(head.size.toString(16).padStart(64, "0"))];
  const found = listIn(topics);
  const names = ["an Anchored event", `of the log ${head.origin}`, `of size ${head.size}`];
  const wrong = expected.findIndex((topic, at) => !isHash(found[at]) || !equalBytes(found[at], topic));
  if (wrong >= 0 || found.length !== expected.length) return no("logIndex", `names a log that is not ${names[wrong] ?? names[0]}`);
  if (toHex(data) !== head.root) return no("logIndex", "names an event with another root than the checkpoint's");
  return undefined;
};

/** EIP-2718 writes the transaction's type in front. */
const withoutType = (bytes: Uint8Array): Uint8Array => (bytes[0] !== undefined && bytes[0] < 0x80 ? bytes.subarray(1) : bytes);

/** The chain that a transaction was signed for (EIP-155, EIP-2930 and later); undefined where its type has none. */
const chainIdOf = (transaction: Uint8Array): number | undefined => {
  const type = transaction[0] ?? 0;
  const fields = listIn(decodeRlp(withoutType(transaction)));
  if (type >= 1 && type <= 4) return numberOf(fields[0]) ?? -1;
  if (type < 0x80) return undefined;
  const v = numberOf(fields[6]);
  return v === undefined || v < 35 ? undefined : Math.floor((v - 35) / 2);
};

const bytesOf = (hex: string): Uint8Array => fromHex(hex.slice(2));
const listIn = (item: Rlp | undefined): readonly Rlp[] => (item === undefined || item instanceof Uint8Array ? [] : item);
const isHash = (item: Rlp | undefined): item is Uint8Array => item instanceof Uint8Array && item.length === 32;
