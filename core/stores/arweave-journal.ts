import { Failure } from "../domain/failure.ts";
import type { GatewayCall } from "./arweave-gateway.ts";
import type { ArweaveObject } from "./arweave-objects.ts";
import type { SignedTransaction } from "./arweave-posting.ts";
import type { Store } from "./store.ts";

/** A signed transaction with its data, and the objects that it makes. It holds nothing that will not be public. */
export interface Posting {
  readonly transaction: SignedTransaction;
  readonly data: Uint8Array;
  readonly objects: readonly ArweaveObject[];
}

/**
 * What is about to be posted, kept in a store of another kind until the network has all of it. A signed transaction can be posted again and is paid for
 * once; so who comes after a process that was killed goes on with it, rather than paying for another.
 */
export interface PostingJournal {
  /** Returns once it is durable. */
  keep(posting: Posting, signal: AbortSignal): Promise<void>;
  kept(arweave: GatewayCall, signal: AbortSignal): AsyncIterable<Posting>;
  drop(id: string, signal: AbortSignal): Promise<void>;
}

/** A journal in `open()`, for the Arweave store of that name. */
export const postingJournal = (open: () => Promise<Store>, name: string): PostingJournal => {
  const folder = `posting/${name}/`;
  return {
    keep: async ({ transaction, data, objects }, signal) => {
      const head = JSON.stringify({ transaction: { ...transaction.toJSON(), data: "" }, objects });
      await (await open()).put(`${folder}${transaction.id}`, Buffer.concat([Buffer.from(`${head}\n`), data]), signal);
    },
    async *kept(arweave, signal) {
      const store = await open();
      for await (const { key } of store.list(folder, signal)) yield await read(arweave, store, key, signal);
    },
    drop: async (id, signal) => await (await open()).delete(`${folder}${id}`, signal),
  };
};

const read = async (arweave: GatewayCall, store: Store, key: string, signal: AbortSignal): Promise<Posting> => {
  const bytes = await store.get(key, signal);
  const end = bytes.indexOf(0x0a);
  const data = bytes.slice(end + 1);
  try {
    const { transaction: raw, objects } = JSON.parse(Buffer.from(bytes.subarray(0, end)).toString("utf8")) as Posting;
    const transaction = arweave.transactions.fromRaw(raw);
    transaction.data = data;
    await transaction.prepareChunks(data);
    return { transaction, data, objects };
  } catch (cause) {
    throw new Failure("ObjectCorrupt", `${key} in store ${store.name} is no transaction that was to be posted: delete it there`, { cause });
  }
};
