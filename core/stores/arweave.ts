import type { StoreConfig } from "../config/schema.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import { createDelivery } from "./arweave-delivery.ts";
import { askEach, askGateway, confirmationsOf, type Gateway, type GatewayCall, openGateway, transactionData } from "./arweave-gateway.ts";
import { type Posting, postingJournal } from "./arweave-journal.ts";
import { type ArweaveObject, newerOf, newestObject, objectPage } from "./arweave-objects.ts";
import { largestChunk, postChunks, quote } from "./arweave-posting.ts";
import { createPoster } from "./arweave-put.ts";
import { checkBytes, createBundledObjects, payloadOf, readObject, sha256 } from "./arweave-reading.ts";
import { parseWallet } from "./arweave-wallet.ts";
import { oneAtATime, untilAborted } from "./in-turn.ts";
import { checkKey, checkPrefix } from "./keys.ts";
import type { Store, StoreCapabilities, StoredObject, StoreOptions } from "./store.ts";
import { rangeWithin } from "./transfer.ts";

export const arweaveCapabilities: StoreCapabilities = {
  largestObject: 10 << 20,
  rangedReads: false,
  deletion: "impossible",
  public: true,
  listing: "unordered",
  conditionalWrites: false,
  immutability: "everything",
  minimumDays: 0,
  expires: "never",
  presence: "bytes read back and compared with what the wallet signed",
  durableWhen: "so many blocks are on top of the transaction's; until one holds it, `stat` says `pending`",
};

/** With a wallet, or for reading only with the address of one. */
type ArweaveConfig = Omit<Extract<StoreConfig, { kind: "arweave" }>, "wallet"> &
  ({ readonly wallet: string; readonly owner?: never } | { readonly wallet?: never; readonly owner: string });

export interface ArweaveOptions extends StoreOptions {
  /**
   * A store of another kind, for what is signed until the network has all of it.
   * @default none: a process that is killed while it posts may be paid for twice
   */
  readonly journal?: (() => Promise<Store>) | undefined;
}

/**
 * Arweave: paid once, kept for good, public. For manifests and checkpoints. The objects are the transactions of one wallet that
 * carry our tags, and the items in its bundles that do; the newest version of a key counts. Does no I/O.
 */
export const openArweaveStore = (config: ArweaveConfig, options: ArweaveOptions = {}): Store => {
  const { silenceMs = 30_000, pageSize } = options;
  const gateway = openGateway(config.name, config.gateway);
  const gateways = [gateway, ...config.otherGateways.map((address) => openGateway(config.name, address))];
  const wallet = config.wallet === undefined ? undefined : parseWallet(config.name, config.wallet);
  const owner = wallet?.address ?? config.owner ?? "";
  const { where } = gateway;
  const inTurn = oneAtATime();
  const posted = new Map<string, ArweaveObject>();
  const unfinished = new Map<string, Posting>();
  const bundled = createBundledObjects(owner);
  const journal = options.journal === undefined ? undefined : postingJournal(options.journal, config.name);
  const delivery = wallet === undefined ? undefined : { wallet, gateway, silenceMs, posted, unfinished, journal };
  const deliverer = delivery === undefined ? undefined : { ...delivery, ...createDelivery(delivery) };
  const post = deliverer === undefined ? undefined : createPoster({ ...deliverer, maxWinston: config.maxWinston });
  /** What gateways were found lying about, by gateway, since the store was opened. */
  const lies = new Map<string, string>();

  const newest = (arweave: GatewayCall, key: string): Promise<ArweaveObject | undefined> =>
    newestObject(arweave, owner, key, posted.get(key), bundled);

  /** Asks each gateway until one has a good answer, and remembers which of them lied. */
  const askAll = <T>(doing: string, signal: AbortSignal, work: (arweave: GatewayCall, at: Gateway) => Promise<T>): Promise<T> =>
    askEach(
      gateways,
      async (one) => {
        try {
          return await askGateway(one, doing, silenceMs, signal, (arweave) => work(arweave, one));
        } catch (error) {
          if (isFailure(error, "ObjectCorrupt")) lies.set(one.where, error.message);
          throw error;
        }
      },
      signal,
    );

  const finishBundle = async (arweave: GatewayCall, what: string, carrier: string, stop: AbortSignal): Promise<void> => {
    const bundle = unfinished.get(carrier);
    if (bundle === undefined) return;
    await postChunks(arweave, what, bundle.transaction, bundle.data, stop);
    unfinished.delete(carrier);
  };

  /** The network takes a transaction before it has its data, and keeps it when that never comes. What is in one chunk comes with it. */
  const isWhole = async (arweave: GatewayCall, { id, carrier, bytes }: ArweaveObject): Promise<boolean> => {
    if (carrier !== id) return !unfinished.has(carrier);
    return bytes <= largestChunk || ((await transactionData(arweave, id))?.length ?? 0) >= bytes;
  };

  /** What is stored already with these bytes; an upload that broke off after its transaction is completed, which costs nothing. */
  const stored = (key: string, bytes: Uint8Array, signal: AbortSignal): Promise<{ found: ArweaveObject | undefined; same: boolean }> =>
    askGateway(gateway, `put of ${key}`, silenceMs, signal, async (arweave, stop) => {
      const found = await newest(arweave, key);
      if (found?.sha256 !== sha256(bytes)) return { found, same: false };
      if (found.carrier !== found.id) {
        await finishBundle(arweave, `${where}: put of ${key}`, found.carrier, stop);
        return { found, same: true };
      }
      const payload = payloadOf(bytes);
      const data = await transactionData(arweave, found.carrier);
      if (data === undefined || data.length < payload.length) {
        const chunked = await arweave.createTransaction({ data: payload, reward: "0" }, wallet!.key);
        await chunked.prepareChunks(payload);
        await postChunks(arweave, `${where}: put of ${key}`, chunked, payload, stop);
      } else {
        checkBytes(where, found, data);
      }
      return { found, same: true };
    });

  const store: Store = {
    name: config.name,
    kind: "arweave",
    capabilities: arweaveCapabilities,

    put: async (key, bytes, signal) => {
      checkKey(key);
      const what = `${where}: put of ${key}`;
      if (post === undefined) throw new Failure("StoreRejected", `${what}: this needs the wallet, which was not given`);
      const { largestObject } = arweaveCapabilities;
      if (bytes.length > largestObject) {
        throw new Failure("StoreRejected", `${what}: ${bytes.length} bytes are more than the ${largestObject} that are taken`);
      }
      signal.throwIfAborted();
      const turn = inTurn(key, signal, async () => {
        await deliverer?.resume(signal);
        const { found, same } = await stored(key, bytes, signal);
        if (found !== undefined && same) return { id: found.id, bytes: bytes.length };
        const object = { key, sha256: sha256(bytes), bytes: bytes.length, version: (found?.version ?? 0) + 1 };
        return post({ object, bytes, signal });
      });
      // A bundle is posted to its end, whoever stops waiting; until then it is the key's turn, or the next put would pay again.
      return untilAborted(turn, signal);
    },

    get: async (key, signal, range) => {
      checkKey(key);
      return askAll(`get of ${key}`, signal, async (arweave, at) => {
        const object = await newest(arweave, key);
        if (object === undefined) throw new Failure("ObjectMissing", `${at.where}: there is no object ${key}`);
        const bytes = await readObject(at.where, arweave, owner, object);
        if (bytes === undefined) {
          throw new Failure("StoreUnreachable", `${at.where}: the gateway does not serve ${key} (transaction ${object.carrier}) now`);
        }
        const { offset, length } = rangeWithin(`${at.where}: ${key}`, bytes.length, range);
        return range === undefined ? bytes : bytes.slice(offset, offset + length);
      });
    },

    stat: async (key, signal) => {
      checkKey(key);
      try {
        const object = await askAll(`stat of ${key}`, signal, async (arweave, at) => {
          const found = await newest(arweave, key);
          if (found === undefined || (await isWhole(arweave, found))) return found;
          // Another gateway may have it; a put completes what none has, and costs nothing.
          throw new Failure("ObjectMissing", `${at.where}: the gateway knows the transaction of ${key} and has not all of its data`);
        });
        return object === undefined ? undefined : storedObject(object);
      } catch (error) {
        if (isFailure(error, "ObjectMissing")) return undefined;
        throw error;
      }
    },

    async *list(prefix, signal) {
      checkPrefix(prefix);
      // Tags cannot be asked for by their beginning: everything is gone through, and versions are told apart at the end.
      const all = await askAll(`list of ${prefix}*`, signal, async (arweave) => {
        const found: ArweaveObject[] = [];
        for (let after: string | undefined, more = true; more; ) {
          const page = await objectPage(arweave, owner, { after, pageSize });
          found.push(...page.objects, ...(await bundled(arweave, page.bundles)));
          after = page.next;
          more = after !== undefined;
        }
        return found;
      });
      const byKey = new Map<string, ArweaveObject>();
      const take = (object: ArweaveObject): void => {
        if (object.key.startsWith(prefix)) byKey.set(object.key, newerOf(byKey.get(object.key), object));
      };
      all.forEach(take);
      for (const object of posted.values()) if (!byKey.has(object.key)) take(object);
      for (const object of byKey.values()) yield storedObject(object);
    },

    delete: async (key, signal) => {
      checkKey(key);
      if ((await askAll(`delete of ${key}`, signal, (arweave) => newest(arweave, key))) === undefined) return;
      throw new Failure("StoreRejected", `${where}: Arweave keeps what it holds for good; ${key} cannot be deleted`);
    },

    /** Every gateway that answers must know the transaction under so many blocks: one of them alone could be on a fork, or lie. */
    settled: async (key, signal) => {
      checkKey(key);
      const unreachable: Failure[] = [];
      const answers = await Promise.all(
        gateways.map((one) =>
          askGateway(one, `confirmations of ${key}`, silenceMs, signal, async (arweave) => {
            const object = await newest(arweave, key);
            return object !== undefined && ((await confirmationsOf(arweave, object.carrier)) ?? -1) >= config.confirmations;
          }).catch((error: unknown) => {
            if (signal.aborted || !isFailure(error, "StoreUnreachable")) throw error;
            unreachable.push(error);
            return undefined;
          }),
        ),
      );
      if (unreachable.length === gateways.length) throw unreachable[0];
      return answers.every((answer) => answer !== false);
    },

    /** Nothing expires; but a wallet runs dry, and a gateway that lied should be replaced. */
    renewals: async (signal) => {
      const nothing = { until: null, fundedUntil: null, renewable: false } as const;
      const lying = [...lies].map(([what, problem]) => ({ ...nothing, what, problem }));
      if (wallet === undefined) return lying;
      const problem = await store.probe(signal).then(
        () => undefined,
        (error: unknown) => {
          if (isFailure(error, "StoreFull") || isFailure(error, "CostCapExceeded")) return error.message;
          throw error;
        },
      );
      return [{ ...nothing, what: `wallet ${owner}`, ...(problem === undefined ? {} : { problem }) }, ...lying];
    },

    /** Writes nothing, since that costs and stays: asks for a price, the balance and the index. */
    probe: (signal) =>
      askGateway(gateway, "probe", silenceMs, signal, async (arweave) => {
        await objectPage(arweave, owner, { pageSize: 1 });
        if (wallet !== undefined) await quote(arweave, `${where}: an object of 1 KiB`, 1_024, BigInt(config.maxWinston), owner);
      }),

    close: async () => {},
  };
  return store;
};

const storedObject = ({ key, bytes, id, pending }: ArweaveObject): StoredObject => ({
  key,
  bytes,
  receipt: id,
  ...(pending ? { pending } : {}),
});
