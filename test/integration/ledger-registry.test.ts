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
import { compile, formatBuild, readBuild } from "../../contracts/compile.ts";
import { useStack } from "../stack/use-stack.ts";
import { hashOf } from "../unit/ledger-fixtures.ts";
import { fundedKey } from "./ledger-chain.ts";

const build = JSON.parse(readBuild()) as { abi: InterfaceAbi; bytecode: string };
const id = (text: string): string => `0x${hashOf(text)}`;

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

  test("costs the gas that docs/proof.md names", async () => {
    const log = id("gas");
    const first = (await send(submitter, "submit", log, 1000, id("a"))).gasUsed;
    const next = (await send(submitter, "submit", log, 2000, id("b"))).gasUsed;
    const again = (await send(submitter, "submit", log, 2000, id("b"))).gasUsed;
    const document = readFileSync(new URL("../../docs/proof.md", import.meta.url), "utf8");
    for (const [what, measured] of Object.entries({
      "deploying the registry": deployGas,
      "a log's first checkpoint": first,
      "each further checkpoint": next,
      "the same checkpoint again": again,
    })) {
      const named = Number(new RegExp(`\\| ${what} \\| ([\\d,]+) \\|`).exec(document)?.[1]?.replaceAll(",", ""));
      assert.ok(Math.abs(Number(measured) - named) <= named / 100, `${what}: ${measured} gas, docs/proof.md says ${named}`);
    }
  });
});
