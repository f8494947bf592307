import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { type FailureType, isFailure } from "../../core/domain/failure.ts";
import {
  addressOfKey,
  anchorStatus,
  collectEvidence,
  deployRegistry,
  probeAnchor,
  readAnchored,
  registryLogId,
  type SignedTransaction,
  submitCheckpoint,
} from "../../core/ledger/evm.ts";
import { refuteEvmEvidence } from "../../core/ledger/verify/evm-evidence.ts";
import { hashOf } from "../unit/ledger-fixtures.ts";
import { callChain, fundedKey } from "./ledger-chain.ts";
import {
  behind,
  honest,
  type PrivateChain,
  silent,
  startPrivateChain,
  startTwistedNode,
  type TwistedNode,
} from "./ledger-private-chain.ts";

const rejectedWith = (type: FailureType, words: RegExp) => (error: unknown) => {
  assert.ok(isFailure(error, type), `${error}`);
  assert.match(error.message, words);
  return true;
};

/** Finality comes eight blocks late, so that reorganizations of several depths stay below it. */
describe("several nodes of one chain, some of which are not to be trusted", () => {
  let chain: PrivateChain;
  let nodes: TwistedNode[];
  let key: string;
  let contract: string;

  before(async () => {
    chain = await startPrivateChain(4);
    nodes = await Promise.all([0, 1, 2].map(() => startTwistedNode(chain.rpc)));
    key = await fundedKey(chain.rpc);
    const deploying = deployRegistry({ rpc: chain.rpc, chainId: chain.chainId, key });
    const timer = setInterval(() => void chain.mine(), 50);
    ({ contract } = await deploying.finally(() => clearInterval(timer)));
    await chain.mine(10);
  });
  after(async () => {
    await Promise.all((nodes ?? []).map((node) => node.stop()));
    chain?.stop();
  });
  beforeEach(() => {
    for (const node of nodes) node.twist = honest;
  });

  let size = 0;
  const place = (changes: object = {}) => {
    const [first, ...others] = nodes.map(({ rpc }) => rpc) as [string, ...string[]];
    const head = { logId: registryLogId("nodes.example/log"), size, root: hashOf(`root ${size}`) };
    return { rpc: first, otherRpcs: others, chainId: chain.chainId, contract, ...head, timeoutMs: 300, ...changes };
  };
  const submit = (options = {}, changes: object = {}) => submitCheckpoint({ ...place(changes), key, maxFeeGwei: 50 }, options);
  const status = async (transaction: string, changes: object = {}) => (await anchorStatus({ ...place(changes), transaction })).status;
  const height = async () => Number(await callChain<string>(chain.rpc, "eth_blockNumber"));

  test("with one node away, silent or behind, everything goes on; with two it is said how many answer", async () => {
    size += 1;
    const start = await height();
    nodes[2]!.twist = silent;
    const { transaction } = await submit();
    assert.equal(await status(transaction), "pending");
    await chain.mine();
    assert.equal(await status(transaction), "mined");
    nodes[2]!.twist = behind(start);
    assert.equal(await status(transaction), "mined");
    await chain.mine(10);
    assert.equal(await status(transaction), "finalized");
    assert.ok((await readAnchored(place())) !== undefined);
    nodes[1]!.twist = silent;
    assert.equal(await status(transaction), "pending", "what one knows and one does not is not settled");
    nodes[2]!.twist = silent;
    await assert.rejects(
      status(transaction),
      rejectedWith("ChainUnreachable", /1 of 3 nodes answer, and 2 must agree on the transaction 0x.*no answer within 300 ms/),
    );
    assert.equal(await status(transaction, { quorum: 1 }), "finalized");
  });

  test("a node that lies about finality, about what is recorded, or about the nonce is outvoted", async () => {
    size += 1;
    const liar = nodes[0]!;
    // Says that everything is recorded already, in a block long ago, and that the account has sent a thousand transactions.
    const record = await callChain<string>(chain.rpc, "eth_call", { to: contract, data: `0x${"00".repeat(4)}` }, "latest").catch(() => "");
    assert.equal(record, "");
    liar.twist = async (method, params, ask) => {
      if (method === "eth_call") return `0x${hashOf(`root ${size}`)}${"1".padStart(64, "0")}${"1".padStart(64, "0")}`;
      if (method === "eth_getTransactionCount") return "0x3e8";
      if (method === "eth_maxPriorityFeePerGas") return "0xffffffffffff";
      return await ask(params);
    };
    const signed: SignedTransaction[] = [];
    const remember = async (one: SignedTransaction) => void signed.push(one);
    const { transaction, recorded } = await submit({ remember });
    assert.equal(recorded, false);
    assert.ok(signed[0]!.nonce < 1000 && signed[0]!.maxPriorityFeePerGas < 0xffffffffffffn);
    await chain.mine();
    liar.twist = async (method, params, ask) => {
      const answer = (await ask(params)) as { number?: string } | null;
      // Everything is final at once.
      return method === "eth_getBlockByNumber" && params[0] === "finalized" ? { ...answer, number: "0xffffff" } : answer;
    };
    assert.equal(await status(transaction), "mined");
    await chain.mine(10);
    // The transaction was mined in a block that never was.
    liar.twist = async (method, params, ask) => {
      const answer = (await ask(params)) as { blockHash?: string; hash?: string } | null;
      const other = `0x${hashOf("another block")}`;
      if (method === "eth_getTransactionReceipt") return { ...answer, blockHash: other };
      if (method === "eth_getBlockByNumber" && params[0] !== "finalized") return { ...answer, hash: other };
      return answer;
    };
    assert.equal(await status(transaction), "finalized");
    nodes[2]!.twist = silent;
    await assert.rejects(status(transaction), rejectedWith("ChainUnreachable", /contradict each other on the transaction/));
    // Evidence proves itself: what the liar shows does not hash to anything, and the next node is asked.
    nodes[2]!.twist = honest;
    const evidence = await collectEvidence({ ...place(), transaction });
    assert.equal(refuteEvmEvidence(evidence, { origin: "nodes.example/log", size, root: hashOf(`root ${size}`) }), undefined);
  });

  test("a probe names the node that is wrong", async () => {
    assert.deepEqual(await probeAnchor({ ...place(), key }), { submitter: addressOfKey(key), nodes: 3 });
    nodes[1]!.twist = async (method, params, ask) => (method === "eth_chainId" ? "0x1" : await ask(params));
    await assert.rejects(
      probeAnchor({ ...place(), key }),
      rejectedWith("ChainRejected", new RegExp(`${new URL(nodes[1]!.rpc).host}.*node of chain 1`)),
    );
  });

  test("reorganizations of depth 1 to 6: taken back, seen, submitted again, final", async () => {
    for (const depth of [1, 2, 3, 6]) {
      size += 1;
      const { transaction } = await submit();
      await chain.mine(depth);
      assert.equal(await status(transaction), "mined", `depth ${depth}`);
      await chain.reorganize(depth);
      const gone = await status(transaction);
      assert.ok(gone === "dropped" || gone === "pending", `${gone} after a reorganization of depth ${depth}`);
      assert.equal(await readAnchored(place()), undefined);
      const again = await submit();
      await chain.mine();
      assert.equal(await status(again.transaction), "mined");
      await chain.mine(9);
      assert.equal(await status(again.transaction), "finalized");
    }
  });

  test("a transaction that is on its way is broadcast again, and once stale replaced by one that offers more, up to the cap", async () => {
    size += 1;
    const signed: SignedTransaction[] = [];
    const remember = async (one: SignedTransaction) => void signed.push(one);
    const first = await submit({ remember });
    const inFlight = { ...signed[0]!, stale: false };
    for (const node of nodes) node.calls.length = 0;
    assert.deepEqual(await submit({ inFlight, remember }), first);
    assert.equal(signed.length, 1, "nothing new was signed");
    assert.ok(
      nodes.every(({ calls }) => calls.includes("eth_sendRawTransaction")),
      "every provider was sent it",
    );
    await callChain(chain.rpc, "anvil_dropTransaction", first.transaction);
    assert.equal(await status(first.transaction), "dropped");
    await submit({ inFlight, remember });
    assert.equal(await status(first.transaction), "pending", "what the pool forgot is there again");
    const second = await submit({ inFlight: { ...inFlight, stale: true }, remember });
    assert.notEqual(second.transaction, first.transaction);
    const [older, newer] = signed as [SignedTransaction, SignedTransaction];
    assert.equal(newer.nonce, older.nonce);
    assert.ok(newer.maxFeePerGas >= (older.maxFeePerGas * 110n) / 100n && newer.maxPriorityFeePerGas > older.maxPriorityFeePerGas);
    const capped = await submitCheckpoint(
      { ...place(), key, maxFeeGwei: Number(newer.maxFeePerGas) / 1e9 },
      { inFlight: { ...newer, stale: true }, remember },
    );
    assert.deepEqual([capped.transaction, signed.length], [newer.transaction, 2], "at the cap the pending one stays");
    await chain.mine();
    assert.equal(await status(second.transaction), "mined");
    assert.equal(await status(first.transaction), "dropped");
    assert.equal((await submit({ inFlight, remember })).recorded, true);
  });
});
