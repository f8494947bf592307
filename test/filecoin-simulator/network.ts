import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { Contract, ContractFactory, JsonRpcProvider, NonceManager, parseEther, Wallet } from "ethers";
import { compileSource } from "../../contracts/compile.ts";
import { callChain, until } from "../integration/ledger-chain.ts";
import { freePort } from "../integration/ledger-private-chain.ts";
import { anvilProgram } from "../stack/components/anvil.ts";

/** A simulator of Filecoin Onchain Cloud's chain: a real EVM chain (anvil) under the chain id of a Filecoin devnet, with FilecoinSimulator.sol on it. */
export interface SimulatedFilecoin {
  readonly rpc: string;
  readonly contract: Contract;
  /** For the configuration of a store: all contracts are one. */
  readonly contracts: Record<ContractName, string>;
  /** A new account with FIL for gas. */
  readonly account: () => Promise<{ key: string; signer: NonceManager; address: string }>;
  /** The same with USDFC, of which `deposited` are with Filecoin Pay, and the storage service approved as its operator. */
  readonly payer: (deposited: string, kept?: string) => Promise<{ key: string; signer: NonceManager; address: string }>;
  readonly epoch: () => Promise<number>;
  readonly mine: (epochs: number) => Promise<void>;
  readonly stop: () => void;
}

const contractNames = [
  "multicall3",
  "usdfc",
  "filecoinPay",
  "fwss",
  "fwssView",
  "serviceProviderRegistry",
  "sessionKeyRegistry",
  "pdp",
  "endorsements",
] as const;
type ContractName = (typeof contractNames)[number];

/** Epochs; of the real network: a day, half an hour, thirty days. */
export const provingPeriod = 40;
export const challengeWindow = 10;
const lockupPeriod = 86_400;

export const startFilecoin = async (): Promise<SimulatedFilecoin> => {
  const source = readFileSync(new URL("FilecoinSimulator.sol", import.meta.url), "utf8");
  const { abi, bytecode } = compileSource("FilecoinSimulator", source, 1);
  const port = await freePort();
  const child = spawn(anvilProgram(), ["--host", "127.0.0.1", "--port", String(port), "--chain-id", "31415926"], { stdio: "ignore" });
  const rpc = `http://127.0.0.1:${port}`;
  await until(
    () => callChain<string>(rpc, "eth_chainId").catch(() => undefined),
    (answer) => answer !== undefined,
    60_000,
  );
  const provider = new JsonRpcProvider(rpc, undefined, { cacheTimeout: -1, staticNetwork: true });
  const account: SimulatedFilecoin["account"] = async () => {
    const { address, privateKey } = Wallet.createRandom();
    await callChain(rpc, "anvil_setBalance", address, `0x${parseEther("1000").toString(16)}`);
    return { key: privateKey, address, signer: new NonceManager(new Wallet(privateKey, provider)) };
  };
  const deployer = await account();
  const deployed = await new ContractFactory(abi, bytecode, deployer.signer).deploy(provingPeriod, challengeWindow, lockupPeriod);
  await deployed.waitForDeployment();
  const address = await deployed.getAddress();
  const contract = new Contract(address, abi, deployer.signer);
  return {
    rpc,
    contract,
    contracts: Object.fromEntries(contractNames.map((name) => [name, address])) as Record<ContractName, string>,
    account,
    payer: async (deposited, kept = "0") => {
      const one = await account();
      const mine = contract.connect(one.signer) as Contract;
      const send = async (name: string, ...args: unknown[]): Promise<void> => {
        await (await mine.getFunction(name)(...args)).wait();
      };
      await send("mint", one.address, parseEther(deposited) + parseEther(kept));
      await send("approve", address, parseEther(deposited));
      await send("deposit", address, one.address, parseEther(deposited));
      await send("setOperatorApproval", address, address, true, 2n ** 256n - 1n, 2n ** 256n - 1n, lockupPeriod);
      return one;
    },
    epoch: () => provider.getBlockNumber(),
    mine: async (epochs) => {
      await callChain(rpc, "anvil_mine", `0x${epochs.toString(16)}`);
    },
    stop: () => {
      provider.destroy();
      child.kill("SIGKILL");
    },
  };
};
