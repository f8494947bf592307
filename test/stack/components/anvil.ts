import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Component } from "../component.ts";
import { askRpc } from "./http.ts";

const chainId = 31_337;
const rpcOf = (port: number | undefined) => `http://127.0.0.1:${port}`;

/** The package's own command is a script that starts the program as a child; the program itself is easier to end. */
export const anvilProgram = (): string => {
  const require = createRequire(createRequire(import.meta.url).resolve("@foundry-rs/anvil/package.json"));
  return require.resolve(`@foundry-rs/anvil-${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}/bin/anvil`);
};

/** An EVM chain: a block every second, and one at once for each transaction; `finalized` is two blocks behind. */
export const anvil: Component<{ rpc: string; chainId: number; keys: string[] }> = {
  title: "EVM chain (anvil)",
  ports: ["rpc"],
  makeSecrets: () => ({ entropy: randomBytes(16).toString("hex") }),
  setUp: async () => {},
  prepare: async (place) => {
    const { Mnemonic } = await import("ethers");
    return {
      anvil: {
        command: anvilProgram(),
        args: [
          ...["--host", "127.0.0.1", "--port", String(place.ports.rpc), "--chain-id", String(chainId)],
          ...["--mnemonic", Mnemonic.fromEntropy(`0x${place.secrets.entropy}`).phrase],
          ...["--block-time", "1", "--mixed-mining", "--slots-in-an-epoch", "1"],
          ...["--state", join(place.folder, "state.json"), "--state-interval", "3"],
          // Without a bound it writes the state after every block to a folder of the user's, a gigabyte in some hours, and leaves it there.
          ...["--prune-history", "300"],
        ],
        cwd: place.folder,
      },
    };
  },
  check: async (place) => {
    const found = await askRpc(rpcOf(place.ports.rpc), "eth_chainId");
    if (found !== `0x${chainId.toString(16)}`) throw new Error(`chain ${String(found)} answers instead of ${chainId}`);
  },
  address: async (place) => {
    const { HDNodeWallet, Mnemonic } = await import("ethers");
    const wallet = HDNodeWallet.fromMnemonic(Mnemonic.fromEntropy(`0x${place.secrets.entropy}`), "m/44'/60'/0'/0");
    return {
      rpc: rpcOf(place.ports.rpc),
      chainId,
      keys: Array.from({ length: 10 }, (_, index) => wallet.deriveChild(index).privateKey),
    };
  },
  shown: (place) => rpcOf(place.ports.rpc),
};
