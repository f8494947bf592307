import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import {
  Contract,
  ContractFactory,
  type InterfaceAbi,
  JsonRpcProvider,
  type TransactionReceipt,
  Wallet,
  ZeroAddress,
  ZeroHash,
} from "ethers";
import { compile, compileSource, formatBuild, readBuild } from "../../contracts/compile.ts";
import { inclusionPath } from "../../core/ledger/tree.ts";
import { fromHex, leafHash, nodeHash, toHex, utf8 } from "../../core/ledger/verify/hash.ts";
import { useStack } from "../stack/use-stack.ts";
import { hashOf, naiveRoot } from "../unit/ledger-fixtures.ts";
import { fundedKey } from "./ledger-chain.ts";

const build = JSON.parse(readBuild()) as { abi: InterfaceAbi; bytecode: string };
const id = (text: string): string => `0x${hashOf(text)}`;

/** As small as a multisig can be: what both owners have approved is called. */
const twoOfTwo = `// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;
contract TwoOfTwo {
    address immutable first;
    address immutable second;
    mapping(bytes32 => address) approvedBy;
    constructor(address one, address other) { first = one; second = other; }
    function approve(address to, bytes calldata data) external {
        require(msg.sender == first || msg.sender == second);
        bytes32 id = keccak256(abi.encode(to, data));
        address before = approvedBy[id];
        if (before == address(0) || before == msg.sender) { approvedBy[id] = msg.sender; return; }
        approvedBy[id] = address(0);
        (bool done, ) = to.call(data);
        require(done);
    }
}`;

const deployedAt = async (abi: InterfaceAbi, bytecode: string, by: Wallet, args: readonly unknown[]): Promise<string> => {
  const contract = await new ContractFactory(abi, bytecode, by).deploy(...args);
  await contract.deploymentTransaction()!.wait();
  return await contract.getAddress();
};

describe("AnchorRegistry", () => {
  let provider: JsonRpcProvider;
  let owner: Wallet;
  let submitter: Wallet;
  let stranger: Wallet;
  let registry: Contract;
  let deployGas: bigint;

  before(async () => {
    const { anvil } = await useStack("anvil");
    provider = new JsonRpcProvider(anvil.rpc, anvil.chainId, { staticNetwork: true, pollingInterval: 50, cacheTimeout: -1 });
    const keys = await Promise.all([fundedKey(anvil.rpc), fundedKey(anvil.rpc), fundedKey(anvil.rpc)]);
    [owner, submitter, stranger] = keys.map((key) => new Wallet(key, provider)) as [Wallet, Wallet, Wallet];
    const deployed = await new ContractFactory(build.abi, build.bytecode, owner).deploy(submitter.address);
    deployGas = (await deployed.deploymentTransaction()!.wait())!.gasUsed;
    registry = new Contract(await deployed.getAddress(), build.abi);
    return () => provider.destroy();
  });

  const send = async (account: Wallet, method: string, ...args: unknown[]): Promise<TransactionReceipt> =>
    (await (await registry.connect(account).getFunction(method)(...args)).wait())!;
  const read = (method: string, ...args: unknown[]) => registry.connect(provider).getFunction(method)(...args);
  const reverts =
    (name: string, ...args: unknown[]) =>
    (error: { data?: string }): boolean => {
      const revert = registry.interface.parseError(error.data ?? "0x");
      assert.equal(revert?.name, name);
      assert.deepEqual([...revert!.args], args);
      return true;
    };

  test("the committed build is what the compiler makes of the source", () => {
    assert.equal(readBuild(), formatBuild(compile()));
    assert.notEqual(readBuild(), formatBuild({ ...compile(), bytecode: "0x00" }));
  });

  test("records a checkpoint with its block and time, and tells of it in one event", async () => {
    const log = id("records");
    const receipt = await send(submitter, "submit", log, 7, id("root 7"));
    const block = (await provider.getBlock(receipt.blockNumber))!;
    assert.deepEqual([...(await read("anchored", log, 7))], [id("root 7"), BigInt(block.number), BigInt(block.timestamp)]);
    assert.equal(await read("latestSize", log), 7n);
    assert.equal(receipt.logs.length, 1);
    const event = registry.interface.parseLog(receipt.logs[0]!)!;
    assert.equal(event.name, "Anchored");
    assert.deepEqual([...event.args], [log, 7n, id("root 7")]);
    assert.deepEqual([...(await read("anchored", log, 6))], [ZeroHash, 0n, 0n]);
  });

  test("sizes only grow; a recorded one keeps its root; the same again changes nothing", async () => {
    const log = id("grows");
    await send(submitter, "submit", log, 10, id("root 10"));
    const recorded = [...(await read("anchored", log, 10))];
    await assert.rejects(send(submitter, "submit", log, 9, id("root 9")), reverts("SizeNotGrowing", 10n));
    await assert.rejects(send(submitter, "submit", log, 10, id("other")), reverts("RootDiffers", id("root 10")));
    const again = await send(submitter, "submit", log, 10, id("root 10"));
    assert.equal(again.logs.length, 0);
    await send(submitter, "submit", log, 11, id("root 11"));
    await assert.rejects(send(submitter, "submit", log, 10, id("other")), reverts("RootDiffers", id("root 10")));
    assert.equal((await send(submitter, "submit", log, 10, id("root 10"))).logs.length, 0);
    assert.deepEqual([...(await read("anchored", log, 10))], recorded);
    assert.equal(await read("latestSize", id("another log")), 0n);
    await assert.rejects(send(submitter, "submit", log, 0, id("root")), reverts("Empty"));
    await assert.rejects(send(submitter, "submit", log, 12, ZeroHash), reverts("Empty"));
  });

  test("only submitters submit, and only the owner says who they are", async () => {
    const log = id("allowed");
    for (const account of [stranger, owner]) await assert.rejects(send(account, "submit", log, 1, id("r")), reverts("NotSubmitter"));
    await assert.rejects(send(stranger, "setSubmitter", stranger.address, true), reverts("NotOwner"));
    await assert.rejects(send(submitter, "setSubmitter", submitter.address, true), reverts("NotOwner"));
    const receipt = await send(owner, "setSubmitter", stranger.address, true);
    assert.deepEqual([...registry.interface.parseLog(receipt.logs[0]!)!.args], [stranger.address, true]);
    await send(stranger, "submit", log, 1, id("r"));
    await send(owner, "setSubmitter", stranger.address, false);
    await assert.rejects(send(stranger, "submit", log, 2, id("r")), reverts("NotSubmitter"));
  });

  test("ownership changes in two steps", async () => {
    await assert.rejects(send(stranger, "offerOwnership", stranger.address), reverts("NotOwner"));
    await assert.rejects(send(stranger, "acceptOwnership"), reverts("NotNextOwner"));
    await send(owner, "offerOwnership", stranger.address);
    assert.equal(await read("owner"), owner.address);
    await send(owner, "offerOwnership", ZeroAddress);
    await assert.rejects(send(stranger, "acceptOwnership"), reverts("NotNextOwner"));
    await send(owner, "offerOwnership", stranger.address);
    await assert.rejects(send(submitter, "acceptOwnership"), reverts("NotNextOwner"));
    await send(stranger, "acceptOwnership");
    assert.equal(await read("owner"), stranger.address);
    assert.equal(await read("nextOwner"), ZeroAddress);
    await assert.rejects(send(owner, "setSubmitter", owner.address, true), reverts("NotOwner"));
    await send(stranger, "offerOwnership", owner.address);
    await send(owner, "acceptOwnership");
  });

  test("has no way to delete, to upgrade, or to take money", async () => {
    const functions = (build.abi as { type: string; name?: string; stateMutability?: string }[]).filter(
      ({ type }) => type !== "event" && type !== "error",
    );
    const writers = functions.filter(({ stateMutability }) => stateMutability !== "view").map(({ type, name }) => name ?? type);
    assert.deepEqual(writers.sort(), ["acceptOwnership", "constructor", "offerOwnership", "setSubmitter", "submit"]);
    assert.ok(functions.every(({ stateMutability }) => stateMutability !== "payable"));
  });

  test("an inclusion proof is checked on chain: every index of small logs, and damaged, short, long and misplaced ones are not believed", async () => {
    const leaves = Array.from({ length: 18 }, (_, at) => utf8(`entry ${at}`));
    const node = async (level: number, index: number) => naiveRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
    const hex = (hash: Uint8Array): string => `0x${toHex(hash)}`;
    for (const size of [1, 2, 3, 5, 7, 8, 17]) {
      const log = id(`includes ${size}`);
      await send(submitter, "submit", log, size, hex(naiveRoot(leaves.slice(0, size))));
      const includes = (index: number, leaf: string, proof: readonly string[], at = size) => read("includes", log, at, index, leaf, proof);
      for (let index = 0; index < size; index++) {
        const leaf = hex(leafHash(leaves[index]!));
        const proof = (await inclusionPath(node, index, size)).map(hex);
        assert.equal(await includes(index, leaf, proof), true, `${index} of ${size}`);
        assert.equal(await includes(index, leaf, [...proof, ZeroHash]), false);
        assert.equal(await includes(index + 1, leaf, proof), false);
        assert.equal(await includes(index, id("another leaf"), proof), false);
        if (proof.length > 0) {
          assert.equal(await includes(index, leaf, proof.slice(1)), false);
          assert.equal(await includes(index, leaf, [id("another hash"), ...proof.slice(1)]), false);
        }
      }
      assert.equal(await includes(0, ZeroHash, [], size + 1), false, "a size that is not recorded");
    }
  });

  test("a contract can own it: two people who must agree, by a multisig", async () => {
    const { abi, bytecode } = compileSource("TwoOfTwo", twoOfTwo);
    const multisig = new Contract(await deployedAt(abi, bytecode, owner, [owner.address, stranger.address]), abi);
    const address = await multisig.getAddress();
    const approve = async (account: Wallet, method: string, ...args: unknown[]) => {
      const data = registry.interface.encodeFunctionData(method, args);
      return (await (
        await multisig.connect(account).getFunction("approve")(await registry.getAddress(), data)
      ).wait()) as TransactionReceipt;
    };
    await send(owner, "offerOwnership", address);
    await approve(owner, "acceptOwnership");
    assert.equal(await read("owner"), owner.address, "one of two is not enough");
    await approve(stranger, "acceptOwnership");
    assert.equal(await read("owner"), address);
    await assert.rejects(send(owner, "setSubmitter", stranger.address, true), reverts("NotOwner"));
    await approve(stranger, "setSubmitter", stranger.address, true);
    assert.equal(await read("isSubmitter", stranger.address), false);
    await approve(owner, "setSubmitter", stranger.address, true);
    assert.equal(await read("isSubmitter", stranger.address), true);
    await approve(owner, "offerOwnership", owner.address);
    await approve(stranger, "offerOwnership", owner.address);
    await send(owner, "acceptOwnership");
  });

  test("costs the gas that docs/proof.md names", async () => {
    const log = id("gas");
    const first = (await send(submitter, "submit", log, 1000, id("a"))).gasUsed;
    const next = (await send(submitter, "submit", log, 2000, id("b"))).gasUsed;
    const again = (await send(submitter, "submit", log, 2000, id("b"))).gasUsed;
    // Index 0 of 2^20 entries: twenty hashes, each to the right.
    const proof = Array.from({ length: 20 }, (_, at) => id(`sibling ${at}`));
    const root = proof.reduce((hash, sibling) => nodeHash(hash, fromHex(sibling.slice(2))), fromHex(hashOf("leaf")));
    await send(submitter, "submit", log, 2 ** 20, `0x${toHex(root)}`);
    assert.equal(await read("includes", log, 2 ** 20, 0, id("leaf"), proof), true);
    const data = registry.interface.encodeFunctionData("includes", [log, 2 ** 20, 0, id("leaf"), proof]);
    const checked = (await (await stranger.sendTransaction({ to: await registry.getAddress(), data })).wait())!.gasUsed;
    const document = readFileSync(new URL("../../docs/proof.md", import.meta.url), "utf8");
    for (const [what, measured] of Object.entries({
      "deploying the registry": deployGas,
      "a log's first checkpoint": first,
      "each further checkpoint": next,
      "the same checkpoint again": again,
      "checking a proof of depth 20": checked,
    })) {
      const named = Number(new RegExp(`\\| ${what} \\| ([\\d,]+) \\|`).exec(document)?.[1]?.replaceAll(",", ""));
      assert.ok(Math.abs(Number(measured) - named) <= named / 100, `${what}: ${measured} gas, docs/proof.md says ${named}`);
    }
  });
});
