import { createHash } from "node:crypto";
import type { StoreConfig } from "../config/schema.ts";
import { Failure } from "../domain/failure.ts";
import { askGateway, type GatewayCall, openGateway, transactionData } from "./arweave-gateway.ts";
import { type ArweaveObject, newerOf, newestObject, objectPage, tagsOf } from "./arweave-objects.ts";
import { awaitAccepted, isSingleChunk, postChunks, postTransaction, quote, signTransaction } from "./arweave-posting.ts";
import { parseWallet } from "./arweave-wallet.ts";
import { oneAtATime } from "./in-turn.ts";
import { checkKey, checkPrefix } from "./keys.ts";
import type { Receipt, Store, StoreCapabilities, StoredObject, StoreOptions } from "./store.ts";
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
  presence: "bytes read back and compared with the SHA-256 in the tags",
  durableWhen: "a block holds the transaction; until then `stat` says `pending`",
};

/** With a wallet, or for reading only with the address of one. */
type ArweaveConfig = Omit<Extract<StoreConfig, { kind: "arweave" }>, "wallet"> &
  ({ readonly wallet: string; readonly owner?: never } | { readonly wallet?: never; readonly owner: string });

/** An empty object travels as one zero byte: a transaction cannot be without data. Its tags tell the size. */
const payloadOf = (bytes: Uint8Array): Uint8Array => (bytes.length === 0 ? new Uint8Array(1) : bytes);

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/**
 * Arweave: paid once, kept for good, public. For manifests and checkpoints. The objects are the transactions of one wallet that
 * carry our tags; the newest version of a key counts. Does no I/O.
 */
export const openArweaveStore = (config: ArweaveConfig, options: StoreOptions = {}): Store => {
  const { silenceMs = 30_000, pageSize } = options;
  const gateway = openGateway(config.name, config.gateway);
  const wallet = config.wallet === undefined ? undefined : parseWallet(config.name, config.wallet);
  const owner = wallet?.address ?? config.owner ?? "";
  const { where } = gateway;
  const inTurn = oneAtATime();
  /** What this process has posted: a gateway's index may show it minutes later, and nothing must be paid twice. */
  const posted = new Map<string, ArweaveObject>();

  const check = (object: ArweaveObject, data: Uint8Array): Uint8Array => {
    const bytes = object.bytes === 0 && data.length === 1 ? new Uint8Array() : data;
    if (bytes.length !== object.bytes || sha256(bytes) !== object.sha256) {
      const what = `${where}: the gateway serves other bytes for ${object.key} (transaction ${object.id}) than were stored`;
      throw new Failure("ObjectCorrupt", what);
    }
    return bytes;
  };

  const store: Store = {
    name: config.name,
    kind: "arweave",
    capabilities: arweaveCapabilities,

    put: async (key, bytes, signal) => {
      checkKey(key);
      const what = `${where}: put of ${key}`;
      if (wallet === undefined) throw new Failure("StoreRejected", `${what}: this needs the wallet, which was not given`);
      if (bytes.length > arweaveCapabilities.largestObject) {
        throw new Failure(
          "StoreRejected",
          `${what}: ${bytes.length} bytes are more than the ${arweaveCapabilities.largestObject} that are taken`,
        );
      }
      const payload = payloadOf(bytes);
      const put = async (arweave: GatewayCall, stop: AbortSignal): Promise<Receipt> => {
        const newest = await newestObject(arweave, owner, key, posted.get(key));
        const tags = { key, sha256: sha256(bytes), bytes: bytes.length, version: (newest?.version ?? 0) + 1 };
        if (newest?.sha256 === tags.sha256) {
          // Paid already. An upload that broke off after the transaction still lacks chunks, and these cost nothing more.
          const data = await transactionData(arweave, newest.id);
          if (data === undefined || data.length < payload.length) {
            const chunked = await arweave.createTransaction({ data: payload, reward: "0" }, wallet.key);
            await chunked.prepareChunks(payload);
            await postChunks(arweave, what, chunked, payload, stop);
          } else {
            check(newest, data);
          }
          return { id: newest.id, bytes: bytes.length };
        }
        const price = await quote(arweave, `${where}: ${key}`, payload.length, config.maxWinston, owner);
        const transaction = await signTransaction(arweave, wallet, payload, tagsOf(tags), price);
        const object = { ...tags, id: transaction.id, pending: true };
        await postTransaction(arweave, what, transaction);
        posted.set(key, object);
        if (!isSingleChunk(transaction)) await postChunks(arweave, what, transaction, payload, stop);
        await awaitAccepted(arweave, what, transaction.id, silenceMs, stop);
        // Some gateways serve the data only minutes later; where it is there already, it must be what was sent.
        const data = await transactionData(arweave, transaction.id);
        if (data !== undefined && data.length >= payload.length) check(object, data);
        return { id: transaction.id, bytes: bytes.length, cost: `${price} winston` };
      };
      // No request carries more than a chunk of 256 KiB, so the time of silence suffices for each.
      return inTurn(key, signal, () => askGateway(gateway, `put of ${key}`, silenceMs, signal, put));
    },

    get: async (key, signal, range) => {
      checkKey(key);
      return askGateway(gateway, `get of ${key}`, silenceMs, signal, async (arweave) => {
        const newest = await newestObject(arweave, owner, key, posted.get(key));
        if (newest === undefined) throw new Failure("ObjectMissing", `${where}: there is no object ${key}`);
        const data = await transactionData(arweave, newest.id);
        if (data === undefined) {
          throw new Failure("StoreUnreachable", `${where}: the gateway does not serve ${key} (transaction ${newest.id}) now`);
        }
        const bytes = check(newest, data);
        const { offset, length } = rangeWithin(`${where}: ${key}`, bytes.length, range);
        return range === undefined ? bytes : bytes.slice(offset, offset + length);
      });
    },

    stat: async (key, signal) => {
      checkKey(key);
      const newest = await askGateway(gateway, `stat of ${key}`, silenceMs, signal, (arweave) =>
        newestObject(arweave, owner, key, posted.get(key)),
      );
      return newest === undefined ? undefined : storedObject(newest);
    },

    async *list(prefix, signal) {
      checkPrefix(prefix);
      // Tags cannot be asked for by their beginning: everything is gone through, and versions are told apart at the end.
      const newest = new Map<string, ArweaveObject>();
      const take = (object: ArweaveObject): void => {
        if (object.key.startsWith(prefix)) newest.set(object.key, newerOf(newest.get(object.key), object));
      };
      for (let after: string | undefined; ; ) {
        const page = await askGateway(gateway, `list of ${prefix}*`, silenceMs, signal, (arweave) =>
          objectPage(arweave, owner, { after, pageSize }),
        );
        page.objects.forEach(take);
        if (page.next === undefined) break;
        after = page.next;
      }
      for (const object of posted.values()) if (!newest.has(object.key)) take(object);
      for (const object of newest.values()) yield storedObject(object);
    },

    delete: async (key, signal) => {
      if ((await store.stat(key, signal)) === undefined) return;
      throw new Failure("StoreRejected", `${where}: Arweave keeps what it holds for good; ${key} cannot be deleted`);
    },

    /** Writes nothing, since that costs and stays: asks for a price, the balance and the index. */
    probe: (signal) =>
      askGateway(gateway, "probe", silenceMs, signal, async (arweave) => {
        await objectPage(arweave, owner, { pageSize: 1 });
        if (wallet !== undefined) await quote(arweave, `${where}: an object of 1 KiB`, 1_024, config.maxWinston, owner);
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
