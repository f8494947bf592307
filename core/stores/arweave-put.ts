import { bundleTags, canSignItems, encodeBundle, signItem } from "./arweave-bundle.ts";
import { askGateway, type Gateway, type GatewayCall, transactionData } from "./arweave-gateway.ts";
import { type ArweaveObject, applicationTag, tagsOf } from "./arweave-objects.ts";
import {
  awaitAccepted,
  isSingleChunk,
  postChunks,
  postTransaction,
  quote,
  type SignedTransaction,
  signTransaction,
} from "./arweave-posting.ts";
import { checkBytes, payloadOf } from "./arweave-reading.ts";
import type { Wallet } from "./arweave-wallet.ts";
import { gathering } from "./gathering.ts";
import type { Receipt } from "./store.ts";

/** An object that has to be posted: what its tags will say, and its bytes. */
export interface Unposted {
  readonly object: Omit<ArweaveObject, "id" | "pending" | "carrier">;
  readonly bytes: Uint8Array;
  readonly signal: AbortSignal;
}

/** Larger ones travel alone: a bundle is for what is small. */
const largestBundled = 100 * 1024;
const mostBundled = 64;

export interface Poster {
  readonly wallet: Wallet;
  readonly gateway: Gateway;
  /** The most that one object may cost, in winston. */
  readonly maxWinston: string;
  readonly silenceMs: number;
  /** What this process has posted: a gateway's index may show it minutes later, and nothing must be paid twice. */
  readonly posted: Map<string, ArweaveObject>;
  /** Bundles that are paid for and whose data may not have arrived, by their id: only this process knows what is in them. */
  readonly unfinished: Map<string, UnfinishedBundle>;
}

export interface UnfinishedBundle {
  readonly transaction: SignedTransaction;
  readonly data: Uint8Array;
}

const nobodyStops = new AbortController().signal;

/** Signs, pays for and posts one transaction; returns its id and what it cost, in winston. */
const postData = async (
  { wallet, gateway, silenceMs }: Poster,
  arweave: GatewayCall,
  {
    what,
    data,
    tags,
    cap,
    onPosted,
  }: { what: string; data: Uint8Array; tags: [string, string][]; cap: bigint; onPosted: (transaction: SignedTransaction) => void },
  stop: AbortSignal,
): Promise<{ id: string; price: bigint; served: Uint8Array | undefined }> => {
  const price = await quote(arweave, what, data.length, cap, wallet.address);
  const transaction = await signTransaction(arweave, wallet, data, tags, price);
  const doing = `${gateway.where}: put of ${what.slice(gateway.where.length + 2)}`;
  await postTransaction(arweave, doing, transaction);
  onPosted(transaction);
  if (!isSingleChunk(transaction)) await postChunks(arweave, doing, transaction, data, stop);
  await awaitAccepted(arweave, doing, transaction.id, silenceMs, stop);
  // Some gateways serve the data only minutes later; where it is there already, it must be what was sent.
  const served = await transactionData(arweave, transaction.id);
  return { id: transaction.id, price, served: served !== undefined && served.length >= data.length ? served : undefined };
};

const postAlone = (poster: Poster, { object, bytes, signal }: Unposted): Promise<Receipt> => {
  const { gateway, posted, silenceMs, maxWinston } = poster;
  const { where } = gateway;
  // No request carries more than a chunk of 256 KiB, so the time of silence suffices for each.
  return askGateway(gateway, `put of ${object.key}`, silenceMs, signal, async (arweave, stop) => {
    const onPosted = ({ id }: SignedTransaction): void => void posted.set(object.key, { ...object, id, carrier: id, pending: true });
    const order = { what: `${where}: ${object.key}`, data: payloadOf(bytes), tags: tagsOf(object), cap: BigInt(maxWinston), onPosted };
    const { id, price, served } = await postData(poster, arweave, order, stop);
    if (served !== undefined) checkBytes(where, { ...object, id, carrier: id, pending: true }, served);
    return { id, bytes: bytes.length, cost: `${price} winston` };
  });
};

/** Many objects in one transaction, each signed by itself. Who has stopped waiting for one does not stop the others. */
const postTogether = (poster: Poster, all: readonly Unposted[]): Promise<Receipt[]> => {
  const { gateway, wallet, posted, unfinished, silenceMs, maxWinston } = poster;
  const { where } = gateway;
  const name = `${all.length} objects in a bundle, ${all[0]!.object.key} among them`;
  return askGateway(gateway, `put of ${name}`, silenceMs, nobodyStops, async (arweave, stop) => {
    const items = await Promise.all(all.map(({ object, bytes }) => signItem(wallet, tagsOf(object), payloadOf(bytes))));
    const data = encodeBundle(items);
    const onPosted = (transaction: SignedTransaction): void => {
      const { id: carrier } = transaction;
      if (!isSingleChunk(transaction)) unfinished.set(carrier, { transaction, data });
      for (const [index, { object }] of all.entries()) posted.set(object.key, { ...object, id: items[index]!.id, carrier, pending: true });
    };
    const tags: [string, string][] = [applicationTag, ...bundleTags].map(([key, value]) => [key, value]);
    const order = { what: `${where}: ${name}`, data, tags, cap: BigInt(maxWinston) * BigInt(all.length), onPosted };
    const { id, price } = await postData(poster, arweave, order, stop);
    unfinished.delete(id);
    return all.map(({ bytes }, index) => ({
      id: items[index]!.id,
      bytes: bytes.length,
      cost: `${(price + BigInt(all.length - 1)) / BigInt(all.length)} winston`,
    }));
  });
};

/** Posts what it is called with: one object alone, and in one bundle the small ones that came while others were posted. */
export const createPoster = (poster: Poster): ((unposted: Unposted) => Promise<Receipt>) => {
  const post = gathering<Unposted, () => Receipt>(mostBundled, async (all) => {
    const outcomes = new Map<Unposted, () => Receipt>();
    const settle = (one: Unposted, result: PromiseSettledResult<Receipt>): void =>
      void outcomes.set(one, () => {
        if (result.status === "fulfilled") return result.value;
        throw result.reason;
      });
    const wanted = all.filter(({ signal }) => !signal.aborted);
    const small = canSignItems(poster.wallet) ? wanted.filter(({ bytes }) => bytes.length <= largestBundled) : [];
    const together = small.length > 1 ? small : [];
    if (together.length > 0) {
      const [result] = await Promise.allSettled([postTogether(poster, together)]);
      for (const [index, one] of together.entries()) {
        settle(one, result!.status === "fulfilled" ? { status: "fulfilled", value: result!.value[index]! } : result!);
      }
    }
    const alone = wanted.filter((one) => !together.includes(one));
    const results = await Promise.allSettled(alone.map((one) => postAlone(poster, one)));
    for (const [index, one] of alone.entries()) settle(one, results[index]!);
    return all.map(
      (one) =>
        outcomes.get(one) ??
        (() => {
          throw one.signal.reason;
        }),
    );
  });
  return async (unposted) => (await post(unposted))();
};
