import type { Chain } from "@filoz/synapse-sdk";
import type { Address } from "viem";
import type { StoreConfig } from "../config/schema.ts";
import { Failure } from "../domain/failure.ts";
import { failureOfFilecoin } from "./filecoin-failure.ts";
import { type FilecoinSdk, loadFilecoinSdk } from "./filecoin-sdk.ts";
import { parsePrivateKey } from "./filecoin-wallet.ts";
import { withinLimit } from "./time-limit.ts";

/** With a wallet, or for reading only with the address of one. */
export type FilecoinConfig = Omit<Extract<StoreConfig, { kind: "filecoin" }>, "wallet"> &
  ({ readonly wallet: string; readonly owner?: never } | { readonly wallet?: never; readonly owner: string });

/** One conversation with the chain and the providers, which ends with its signal. */
export interface FilecoinCall {
  readonly sdk: FilecoinSdk;
  readonly chain: Chain;
  readonly owner: Address;
  readonly client: ReturnType<typeof publicClient>;
  readonly signal: AbortSignal;
  /** Resets the time limit. */
  readonly progressed: () => void;
}

const publicClient = (sdk: FilecoinSdk, chain: Chain, rpc: string | undefined, ms: number, signal: AbortSignal, progressed: () => void) =>
  sdk.viem.createPublicClient({ chain, transport: transportOf(sdk, rpc, ms, signal, progressed), batch: { multicall: false } });

const transportOf = (sdk: FilecoinSdk, rpc: string | undefined, ms: number, signal: AbortSignal, progressed: () => void) =>
  sdk.viem.http(rpc, { timeout: ms, retryCount: 0, fetchOptions: { signal }, onFetchResponse: () => progressed() });

const networkOf = (sdk: FilecoinSdk, config: FilecoinConfig): Chain => {
  if (config.network !== "devnet") return sdk.sdk[config.network];
  const given = config.contracts;
  const { devnet } = sdk.sdk;
  if (given === undefined || config.rpc === undefined) {
    throw new Failure("ConfigurationInvalid", `store "${config.name}": network devnet needs rpc and contracts`);
  }
  const contracts = Object.fromEntries(
    Object.entries(devnet.contracts).map(([name, contract]) => [
      name,
      { ...contract, address: given[name as keyof typeof given] as Address },
    ]),
  );
  return { ...devnet, contracts: contracts as unknown as Chain["contracts"] };
};

export interface FilecoinNetwork {
  /** For texts. */
  readonly where: string;
  readonly ask: <T>(doing: string, ms: number, signal: AbortSignal, work: (call: FilecoinCall) => Promise<T>) => Promise<T>;
  /** The SDK with the wallet, for what has to be signed. `StoreRejected` without one. */
  readonly signer: (call: FilecoinCall) => InstanceType<FilecoinSdk["sdk"]["Synapse"]>;
}

/** Throws `ConfigurationInvalid` for a wallet or an address that is none. Does no I/O; the packages are loaded by the first call. */
export const openNetwork = (config: FilecoinConfig, silenceMs: number): FilecoinNetwork => {
  const where = `store "${config.name}" (Filecoin ${config.network})`;
  const secret = config.wallet === undefined ? undefined : parsePrivateKey(config.name, config.wallet);
  let loaded: Promise<FilecoinSdk> | undefined;
  const sdkOnce = async (): Promise<FilecoinSdk> => {
    loaded ??= loadFilecoinSdk(where);
    return loaded;
  };
  return {
    where,
    ask: async (doing, ms, signal, work) => {
      signal.throwIfAborted();
      const sdk = await sdkOnce();
      const chain = networkOf(sdk, config);
      const owner = secret === undefined ? (config.owner as Address) : sdk.accounts.privateKeyToAddress(secret);
      const what = `${where}: ${doing}`;
      return withinLimit({ what, signal, ms }, async (stop, progressed) => {
        const client = publicClient(sdk, chain, config.rpc, silenceMs, stop, progressed);
        try {
          return await work({ sdk, chain, owner, client, signal: stop, progressed });
        } catch (error) {
          throw stop.aborted ? error : failureOfFilecoin(what, error);
        }
      });
    },
    signer: ({ sdk, chain, signal, progressed }) => {
      if (secret === undefined) throw new Failure("StoreRejected", `${where}: this needs the wallet, which was not given`);
      const account = sdk.accounts.privateKeyToAccount(secret);
      const transport = transportOf(sdk, config.rpc, silenceMs, signal, progressed);
      return sdk.sdk.Synapse.create({ account, chain, transport, source: null });
    },
  };
};
