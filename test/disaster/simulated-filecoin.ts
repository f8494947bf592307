import { setTimeout as delay } from "node:timers/promises";
import { startFilecoin } from "../filecoin-simulator/network.ts";
import { type SimulatedProvider, startProvider } from "../filecoin-simulator/provider.ts";
import { Refusal } from "../filecoin-simulator/provider-api.ts";
import type { LosableStore } from "./network.ts";

/** The simulated chain with two providers, who prove what they were given as soon as they have it: a day goes by in a second. */
export const startFilecoinStore = async (): Promise<LosableStore> => {
  const network = await startFilecoin();
  const providers = [await startProvider(network), await startProvider(network)];
  const payer = await network.payer("100");
  const stop = new AbortController();
  let broken: unknown;
  const proving = keepProving(network, providers, payer.address, stop.signal).catch((error: unknown) => {
    broken = error;
  });
  const setDown = async (down: boolean): Promise<void> => {
    for (const { failings } of providers) failings.down = down;
  };
  return {
    ...{ name: "filecoin", kind: "filecoin", simulated: true },
    stand: "a simulator of the contracts, on anvil, and of two providers; the SDK, the piece commitments and the proofs are real",
    config: {
      ...{ domain: "filecoin", network: "devnet", rpc: network.rpc, contracts: network.contracts },
      ...{ dataSet: "disaster", copies: 2, maxDeposit: "10", wallet: { env: "DISASTER_FILECOIN_WALLET" } },
    },
    secrets: { DISASTER_FILECOIN_WALLET: payer.key },
    // Anybody can read.
    recovery: {},
    lose: () => setDown(true),
    bringBack: () => setDown(false),
    close: async () => {
      stop.abort();
      await proving;
      for (const provider of providers) await provider.stop();
      network.stop();
      if (broken !== undefined) throw broken;
    },
  };
};

interface DataSet {
  readonly dataSetId: bigint;
  readonly providerId: bigint;
}

/** Each provider proves its data sets again whenever something has been added to them or is to go. */
const keepProving = async (
  network: Awaited<ReturnType<typeof startFilecoin>>,
  providers: readonly SimulatedProvider[],
  payer: string,
  signal: AbortSignal,
): Promise<void> => {
  const ask = async <T>(name: string, ...args: unknown[]): Promise<T> => (await network.contract.getFunction(name)(...args)) as T;
  const proven = new Map<bigint, string>();
  while (!signal.aborted) {
    for (const { dataSetId, providerId } of await ask<DataSet[]>("getClientDataSets", payer, 0, 10)) {
      const provider = providers.find(({ id }) => id === Number(providerId));
      const [pieces, removals] = [await ask("getNextPieceId", dataSetId), await ask<bigint[]>("getScheduledRemovals", dataSetId)];
      const state = `${pieces} ${removals.length}`;
      if (provider === undefined || provider.failings.down || proven.get(dataSetId) === state) continue;
      try {
        await provider.prove(dataSetId);
        // What was to go is gone with that.
        proven.set(dataSetId, `${pieces} 0`);
      } catch (error) {
        // While pieces are being added, blocks go by, and the challenge with them: the next period has another.
        if (!(error instanceof Refusal)) throw error;
      }
    }
    // Its clock is the chain's, which only these proofs and the payments move.
    await delay(300, undefined, { signal }).catch(() => {});
  }
};
