import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type FailureType, isFailure } from "../../core/domain/failure.ts";
import {
  addressOfKey,
  anchorStatus,
  collectEvidence,
  deployRegistry,
  probeAnchor,
  readAnchored,
  registryLogId,
  setSubmitter,
  submitCheckpoint,
} from "../../core/ledger/evm.ts";
import { refuteEvmEvidence } from "../../core/ledger/verify/evm-evidence.ts";
import { stackDown, stackUp } from "../stack/stack.ts";
import { useStack } from "../stack/use-stack.ts";
import { hashOf } from "../unit/ledger-fixtures.ts";
import { callChain, fundedKey, until } from "./ledger-chain.ts";

const rejectedWith = (type: FailureType, words: RegExp) => (error: unknown) => {
  assert.ok(isFailure(error, type), `${error}`);
  assert.match(error.message, words);
  return true;
};

const headOf = (origin: string, size: number, root = hashOf(`root ${size}`)) => ({ logId: registryLogId(origin), size, root });

describe("anchoring on a real chain", () => {
  let rpc: string;
  let chainId: number;
  let owner: string;
  let key: string;
  let contract: string;

  before(async () => {
    ({ rpc, chainId } = (await useStack("anvil")).anvil);
    [owner, key] = await Promise.all([fundedKey(rpc), fundedKey(rpc)]);
    ({ contract } = await deployRegistry({ rpc, chainId, key: owner, submitter: addressOfKey(key) }));
  });
  const place = () => ({ rpc, chainId, contract });

  test("a checkpoint is submitted, mined, finalized, and its evidence stands without the chain", async () => {
    const origin = "final.example/log";
    const head = headOf(origin, 40);
    assert.equal(await readAnchored({ ...place(), ...head }), undefined);
    const { transaction, recorded } = await submitCheckpoint({ ...place(), ...head, key, maxFeeGwei: 50 });
    assert.equal(recorded, false);
    const seen = new Set<string>();
    const done = await until(
      () => anchorStatus({ ...place(), ...head, transaction }),
      ({ status }) => seen.add(status) && status === "finalized",
    );
    assert.ok(seen.has("mined") || seen.has("pending"), `it was not final at once: ${[...seen]}`);
    assert.ok(done.status === "finalized");
    const record = await readAnchored({ ...place(), ...head });
    assert.deepEqual(record, { root: head.root, block: done.block, time: done.time });
    const evidence = await collectEvidence({ ...place(), ...head, transaction });
    assert.deepEqual([evidence.block, evidence.blockHash, evidence.time], [done.block, done.blockHash, done.time]);
    assert.equal(refuteEvmEvidence(evidence, { origin, ...head }), undefined);
    assert.equal(refuteEvmEvidence(evidence, { origin, ...head, size: 41 })?.field, "logIndex");
    assert.equal(refuteEvmEvidence(evidence, { origin: "other.example/log", ...head })?.field, "logIndex");
  });

  test("submitting again gives the same transaction; another root or a smaller size is refused", async () => {
    const head = headOf("again.example/log", 10);
    const first = await submitCheckpoint({ ...place(), ...head, key, maxFeeGwei: 50 });
    await until(
      () => readAnchored({ ...place(), ...head }),
      (found) => found !== undefined,
    );
    const balance = await callChain<string>(rpc, "eth_getBalance", addressOfKey(key), "latest");
    assert.deepEqual(await submitCheckpoint({ ...place(), ...head, key, maxFeeGwei: 50 }), {
      transaction: first.transaction,
      recorded: true,
    });
    assert.equal(await callChain<string>(rpc, "eth_getBalance", addressOfKey(key), "latest"), balance, "nothing is paid twice");
    const fork = { ...place(), ...head, root: hashOf("fork"), key, maxFeeGwei: 50 };
    await assert.rejects(submitCheckpoint(fork), rejectedWith("ChainRejected", /another root at size 10: the log has forked/));
    const smaller = { ...place(), ...headOf("again.example/log", 9), key, maxFeeGwei: 50 };
    await assert.rejects(submitCheckpoint(smaller), rejectedWith("ChainRejected", /larger size 10 already/));
  });

  test("who may not submit, cannot pay, or offers too little is told so", async () => {
    const head = headOf("refused.example/log", 1);
    const stranger = await fundedKey(rpc);
    const submit = (changes: object) => submitCheckpoint({ ...place(), ...head, key, maxFeeGwei: 50, ...changes });
    await assert.rejects(submit({ key: stranger }), rejectedWith("ChainRejected", /does not allow this account/));
    await assert.rejects(probeAnchor({ ...place(), key: stranger }), rejectedWith("ChainRejected", /does not allow 0x/));
    await assert.rejects(submit({ maxFeeGwei: 1e-9 }), rejectedWith("CostCapExceeded", /more than the cap of 1e-9 gwei/));
    await assert.rejects(submit({ key: "0x1234" }), rejectedWith("ConfigurationInvalid", /not a private key/));
    await assert.rejects(submit({ contract: `0x${"12".repeat(20)}` }), rejectedWith("ChainRejected", /no registry at 0x1212/));
    await assert.rejects(submit({ chainId: 1 }), rejectedWith("ChainRejected", /a node of chain 31337/));
    const poor = await fundedKey(rpc, 0n);
    await setSubmitter({ ...place(), key: owner, account: addressOfKey(poor), allowed: true });
    await assert.rejects(submit({ key: poor }), rejectedWith("ChainRejected", /./));
    await assert.rejects(probeAnchor({ ...place(), key: poor }), rejectedWith("ChainRejected", /no balance/));
    const revoked = { ...place(), key: stranger, account: addressOfKey(poor), allowed: false };
    await assert.rejects(setSubmitter(revoked), rejectedWith("ChainRejected", /only the registry's owner/));
    assert.equal((await probeAnchor({ ...place(), key })).submitter, addressOfKey(key));
  });

  test("a node that is away, hangs, errs or talks nonsense is unreachable, and its URL's secret is not told", async () => {
    const head = headOf("away.example/log", 1);
    const status = (changes: object) => anchorStatus({ ...place(), ...head, transaction: `0x${hashOf("t")}`, ...changes });
    await assert.rejects(status({ rpc: "http://127.0.0.1:9/secret-key" }), (error: unknown) => {
      assert.ok(isFailure(error, "ChainUnreachable") && !error.message.includes("secret-key"));
      return true;
    });
    const answers: Record<string, [number, string] | undefined> = {
      "/500": [500, "broken"],
      "/401": [401, "no"],
      "/text": [200, "<html>"],
      "/busy": [200, JSON.stringify({ jsonrpc: "2.0", id: 1, error: { code: -32005, message: "limit exceeded" } })],
    };
    const server = createServer((request, response) => {
      const answer = answers[request.url ?? ""];
      if (answer !== undefined) response.writeHead(answer[0]).end(answer[1]);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const at = (path: string) => ({ rpc: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, timeoutMs: 300 });
      await assert.rejects(status(at("/500")), rejectedWith("ChainUnreachable", /HTTP 500/));
      await assert.rejects(status(at("/401")), rejectedWith("ChainRejected", /HTTP 401/));
      await assert.rejects(status(at("/text")), rejectedWith("ChainUnreachable", /not JSON-RPC/));
      await assert.rejects(status(at("/busy")), rejectedWith("ChainUnreachable", /too busy/));
      await assert.rejects(status(at("/hangs")), rejectedWith("ChainUnreachable", /no answer within 300 ms/));
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe("anchoring on a chain that reorganizes and delays", () => {
  let folder: string;
  let rpc: string;
  let chainId: number;
  let key: string;
  let other: string;
  let contract: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "dbgov-anchor-"));
    ({ rpc, chainId } = (await stackUp({ folder, components: ["anvil"], onProgress: () => {} })).anvil);
    key = await fundedKey(rpc);
    other = await fundedKey(rpc);
    ({ contract } = await deployRegistry({ rpc, chainId, key }));
    await setSubmitter({ rpc, chainId, contract, key, account: addressOfKey(other), allowed: true });
    await callChain(rpc, "evm_setIntervalMining", 0);
    await callChain(rpc, "evm_setAutomine", false);
  });
  after(async () => {
    await stackDown(folder);
    await rm(folder, { recursive: true, force: true });
  });
  const mine = () => callChain(rpc, "evm_mine");

  test("pending, mined, taken back, dropped, submitted again, final", async () => {
    const head = headOf("reorg.example/log", 5);
    const place = { rpc, chainId, contract, ...head };
    const before = await callChain<string>(rpc, "evm_snapshot");
    const { transaction } = await submitCheckpoint({ ...place, key, maxFeeGwei: 50 });
    assert.equal((await anchorStatus({ ...place, transaction })).status, "pending");
    // A second attempt, as after a crash, replaces the first or is the same: only one of the two can be mined.
    const again = await submitCheckpoint({ ...place, key, maxFeeGwei: 50 });
    await mine();
    assert.equal((await anchorStatus({ ...place, transaction: again.transaction })).status, "mined");
    await callChain(rpc, "evm_revert", before);
    await mine();
    assert.equal((await anchorStatus({ ...place, transaction: again.transaction })).status, "dropped");
    const third = await submitCheckpoint({ ...place, key, maxFeeGwei: 40 });
    await mine();
    assert.equal((await anchorStatus({ ...place, transaction: third.transaction })).status, "mined");
    await mine();
    await mine();
    assert.equal((await anchorStatus({ ...place, transaction: third.transaction })).status, "finalized");
  });

  test("a pending transaction at too low a fee is replaced, and one whose checkpoint another has recorded is dropped", async () => {
    const head = headOf("replaced.example/log", 5);
    const place = { rpc, chainId, contract, ...head };
    const { baseFeePerGas } = await callChain<{ baseFeePerGas: string }>(rpc, "eth_getBlockByNumber", "latest", false);
    const first = await submitCheckpoint({ ...place, key, maxFeeGwei: (Number(baseFeePerGas) * 1.2) / 1e9 });
    const second = await submitCheckpoint({ ...place, key, maxFeeGwei: 50 });
    assert.notEqual(second.transaction, first.transaction);
    await mine();
    assert.equal((await anchorStatus({ ...place, transaction: first.transaction })).status, "dropped");
    assert.equal((await anchorStatus({ ...place, transaction: second.transaction })).status, "mined");
    const later = { ...place, ...headOf("replaced.example/log", 6) };
    const mineFirst = await submitCheckpoint({ ...later, key: other, maxFeeGwei: 50 });
    const doubled = await submitCheckpoint({ ...later, key, maxFeeGwei: 20 });
    await mine();
    const states = await Promise.all([mineFirst, doubled].map(({ transaction }) => anchorStatus({ ...later, transaction })));
    assert.deepEqual(states.map(({ status }) => status).sort(), ["dropped", "mined"]);
    const { transaction } = await submitCheckpoint({ ...later, key, maxFeeGwei: 50 });
    assert.equal((await anchorStatus({ ...later, transaction })).status, "mined", "asking again leads to the one that recorded it");
  });

  test("evidence out of a block with many transactions of all kinds", async () => {
    const payer = await fundedKey(rpc);
    const { Wallet } = await import("ethers");
    const wallet = new Wallet(payer);
    const fees = { maxFeePerGas: 30_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n };
    for (let nonce = 0; nonce < 140; nonce++) {
      const base = { chainId, nonce, to: wallet.address, value: BigInt(nonce), gasLimit: 60_000n, data: `0x${"ab".repeat(nonce)}` };
      const kinds = [
        { ...base, type: 2, ...fees },
        { ...base, type: 0, gasPrice: 20_000_000_000n },
        { ...base, type: 1, gasPrice: 20_000_000_000n, accessList: [{ address: contract, storageKeys: [`0x${hashOf("slot")}`] }] },
      ];
      await callChain(rpc, "eth_sendRawTransaction", await wallet.signTransaction(kinds[nonce % 3]!));
    }
    const origin = "crowd.example/log";
    const place = { rpc, chainId, contract, ...headOf(origin, 5) };
    const { transaction } = await submitCheckpoint({ ...place, key, maxFeeGwei: 25 });
    await mine();
    const evidence = await collectEvidence({ ...place, transaction });
    const block = await callChain<{ transactions: string[] }>(rpc, "eth_getBlockByHash", evidence.blockHash, false);
    assert.equal(block.transactions.length, 141);
    assert.ok(evidence.receiptProof.length > 1 && evidence.transactionProof.length > 1);
    assert.equal(refuteEvmEvidence(evidence, { origin, ...place }), undefined);
    const moved = { ...evidence, transactionIndex: evidence.transactionIndex ^ 1 };
    assert.equal(refuteEvmEvidence(moved, { origin, ...place })?.field, "transactionProof");
  });
});
