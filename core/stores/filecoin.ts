import { Failure } from "../domain/failure.ts";
import { type FilecoinCall, type FilecoinConfig, openNetwork } from "./filecoin-chain.ts";
import { openSets, placesFor, removeCopies, storeCopies } from "./filecoin-copies.ts";
import { failureOfFilecoin } from "./filecoin-failure.ts";
import { type Copy, createPieceIndex, type DataSet, dataSetsOf, newestOf } from "./filecoin-index.ts";
import { checkFunds, confirmMs, renewalsOf, renewDeposit } from "./filecoin-money.ts";
import { commitmentOf, fetchCopy, payloadOf } from "./filecoin-piece.ts";
import { epochMs, isProven } from "./filecoin-proofs.ts";
import { oneAtATime } from "./in-turn.ts";
import { checkKey, checkPrefix } from "./keys.ts";
import type { Receipt, Store, StoreCapabilities, StoredObject, StoreOptions } from "./store.ts";
import { limitFor } from "./time-limit.ts";
import { rangeWithin } from "./transfer.ts";

export const filecoinCapabilities: StoreCapabilities = {
  /** 1 GiB with the network's padding of 128 bytes for every 127. */
  largestObject: 1_065_353_216,
  rangedReads: true,
  deletion: "unpin",
  public: true,
  listing: "unordered",
  conditionalWrites: false,
  immutability: "none",
  minimumDays: 0,
  expires: "unless-renewed",
  presence: "the provider's proof of possession on the chain, each day; bytes read back and compared with the piece commitment",
  durableWhen: "every provider has proven possession once; until then it has only taken the piece",
};

/** Filecoin Onchain Cloud: pieces with several providers, paid from one wallet, proven each day. Does no I/O. */
export const openFilecoinStore = (config: FilecoinConfig, options: StoreOptions = {}): Store => {
  const { silenceMs = 30_000, pageSize } = options;
  const network = openNetwork(config, silenceMs);
  const { where } = network;
  const index = createPieceIndex(pageSize);
  const inTurn = oneAtATime();

  const setsOf = (call: FilecoinCall): Promise<DataSet[]> => dataSetsOf(call, config.dataSet);
  const fail = (what: string, error: unknown): Failure => failureOfFilecoin(`${where}: ${what}`, error);
  /** Copies that are paid for on as many providers as there shall be. */
  const complete = (copies: readonly Copy[]): boolean =>
    new Set(copies.filter(({ dataSet }) => dataSet.ends === undefined).map(({ dataSet }) => dataSet.providerId)).size >= config.copies;
  const stored = ({ cid, record }: Copy): StoredObject => ({ key: record.key, bytes: record.bytes, receipt: cid });

  const newestCopies = async (call: FilecoinCall, key: string): Promise<Copy[]> =>
    newestOf(await index.ofKey(call, await setsOf(call), key));

  const put = async (call: FilecoinCall, key: string, bytes: Uint8Array): Promise<Receipt> => {
    const { signal } = call;
    const payload = payloadOf(bytes);
    const cid = await commitmentOf(call, payload);
    const receipt = { id: cid.toString(), bytes: bytes.length };
    const sets = await setsOf(call);
    const all = await index.ofKey(call, sets, key);
    const newest = newestOf(all);
    const isSame = newest[0]?.cid === receipt.id && newest[0].record.bytes === bytes.length;
    const current = isSame ? newest : [];
    if (!complete(current)) {
      const version = (newest[0]?.record.version ?? 0) + (isSame ? 0 : 1);
      const epoch = Number(await call.client.getBlockNumber({ cacheTime: 0 }));
      await checkFunds(network, call, config, sets);
      const places = await placesFor(network, call, config, sets);
      const record = { key, bytes: bytes.length, version, epoch };
      await storeCopies(network, call, { payload, cid, record, places, copies: current, dataSet: config.dataSet }, fail);
      const now = await newestCopies(call, key);
      if (!complete(now) || now[0]?.cid !== receipt.id) {
        throw new Failure(
          "ObjectCorrupt",
          `${where}: put of ${key}: the providers said that they had added the piece, and the chain does not have it`,
        );
      }
    }
    const older = all.filter(
      ({ record, dataSet }) => dataSet.ends === undefined && (!isSame || record.version !== newest[0]!.record.version),
    );
    signal.throwIfAborted();
    await removeCopies(network, call, older, fail);
    return receipt;
  };

  const store: Store = {
    name: config.name,
    kind: "filecoin",
    capabilities: filecoinCapabilities,

    put: async (key, bytes, signal) => {
      checkKey(key);
      const { largestObject } = filecoinCapabilities;
      if (bytes.length > largestObject) {
        throw new Failure(
          "StoreRejected",
          `${where}: put of ${key}: ${bytes.length} bytes are more than the ${largestObject} that are taken`,
        );
      }
      const ask = (): Promise<Receipt> =>
        network.ask(`put of ${key}`, limitFor(silenceMs + confirmMs, bytes.length), signal, (call) => put(call, key, bytes));
      const have = await network.ask(`put of ${key}`, silenceMs, signal, setsOf);
      // The first put creates the data sets: two at once would create them twice. No key is empty, so that is a turn of its own.
      return inTurn(key, signal, () => (openSets(have).length >= config.copies ? ask() : inTurn("", signal, ask)));
    },

    get: async (key, signal, range) => {
      checkKey(key);
      const doing = `get of ${key}`;
      return network.ask(doing, silenceMs, signal, async (call) => {
        const copies = await newestCopies(call, key);
        if (copies.length === 0) throw new Failure("ObjectMissing", `${where}: there is no object ${key}`);
        const part = range === undefined ? undefined : rangeWithin(`${where}: ${key}`, copies[0]!.record.bytes, range);
        const failures: Failure[] = [];
        for (const copy of copies.toReversed()) {
          try {
            return await fetchCopy(call, `${where}: ${doing}`, copy, part);
          } catch (error) {
            if (!(error instanceof Failure) || signal.aborted) throw error;
            failures.push(error);
          }
        }
        // What may pass by itself comes first, then what shows that a provider lies.
        const type = (["StoreUnreachable", "StoreRejected", "ObjectCorrupt", "ObjectMissing"] as const).find((one) =>
          failures.some((failure) => failure.type === one),
        );
        throw new Failure(type ?? "StoreUnreachable", failures.map(({ message }) => message).join("; "), { cause: failures[0] });
      });
    },

    stat: async (key, signal) => {
      checkKey(key);
      const copies = await network.ask(`stat of ${key}`, silenceMs, signal, (call) => newestCopies(call, key));
      return complete(copies) ? stored(copies[0]!) : undefined;
    },

    async *list(prefix, signal) {
      checkPrefix(prefix);
      const copies = await network.ask(`list of ${prefix}*`, silenceMs, signal, async (call) =>
        index.all(call, await setsOf(call), prefix),
      );
      for (const [, ofKey] of Map.groupBy(copies, ({ record }) => record.key)) yield stored(newestOf(ofKey)[0]!);
    },

    delete: async (key, signal) => {
      checkKey(key);
      await network.ask(`delete of ${key}`, silenceMs + confirmMs, signal, async (call) => {
        const copies = await index.ofKey(call, await setsOf(call), key);
        await removeCopies(
          network,
          call,
          copies.filter(({ dataSet }) => dataSet.ends === undefined),
          fail,
        );
        const ending = copies.find(({ dataSet }) => dataSet.ends !== undefined)?.dataSet;
        if (ending?.ends === undefined) return;
        const epoch = await call.client.getBlockNumber({ cacheTime: 0 });
        const until = new Date(Date.now() + Number(ending.ends - epoch) * epochMs).toISOString();
        const what = `${where}: ${key} is in the data set ${ending.id}, which was terminated: nothing can be taken out of it before it ends`;
        throw new Failure("StoreRetained", what, { details: { until } });
      });
    },

    settled: async (key, signal) => {
      checkKey(key);
      return network.ask(`proofs of ${key}`, silenceMs, signal, async (call) => {
        const copies = (await newestCopies(call, key)).filter(({ dataSet }) => dataSet.ends === undefined);
        const proven = await Promise.all(copies.map((copy) => isProven(call, copy)));
        return complete(copies.filter((_, at) => proven[at]));
      });
    },

    renewals: (signal) => network.ask("renewals", silenceMs, signal, async (call) => renewalsOf(call, await setsOf(call), Date.now())),

    renew: (signal, { days }) =>
      network.ask("renewal", silenceMs + confirmMs, signal, async (call) =>
        renewDeposit(network, call, config, await setsOf(call), { days, now: Date.now() }),
      ),

    usage: (signal) =>
      network.ask("usage", silenceMs, signal, async (call) => {
        const sets = openSets(await setsOf(call));
        const { client, chain } = call;
        const contract = { ...chain.contracts.pdp } as const;
        const leaves = await Promise.all(
          sets.map(({ id }) => client.readContract({ ...contract, functionName: "getDataSetLeafCount", args: [id] })),
        );
        const pieces = await Promise.all(
          sets.map(({ id }) => client.readContract({ ...contract, functionName: "getActivePieceCount", args: [id] })),
        );
        return { bytes: Number(leaves.reduce((a, b) => a + b, 0n)) * 32, objects: Number(pieces.reduce((a, b) => a + b, 0n)) };
      }),

    /** Writes nothing, since that costs: asks for the money, the data sets and, with the wallet, the providers. */
    probe: (signal) =>
      network.ask("probe", silenceMs, signal, async (call) => {
        const sets = await setsOf(call);
        if (config.wallet === undefined) return;
        await checkFunds(network, call, config, sets);
        await placesFor(network, call, config, sets);
      }),

    close: async () => {},
  };
  return store;
};
