import { bundleTags, canSignItems, encodeBundle, signItem } from "./arweave-bundle.ts";
import type { Delivery } from "./arweave-delivery.ts";
import { askGateway, type GatewayCall, transactionData } from "./arweave-gateway.ts";
import type { Posting } from "./arweave-journal.ts";
import { type ArweaveObject, applicationTag, tagsOf } from "./arweave-objects.ts";
import { quote, signTransaction } from "./arweave-posting.ts";
import { checkBytes, payloadOf } from "./arweave-reading.ts";
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

export interface Poster extends Delivery {
  /** The most that one object may cost, in winston. */
  readonly maxWinston: string;
  /** Brings a signed transaction to the network. */
  post(arweave: GatewayCall, doing: string, posting: Posting, stop: AbortSignal): Promise<void>;
}

const nobodyStops = new AbortController().signal;

/** What is to become a transaction. */
interface Order {
  readonly what: string;
  readonly data: Uint8Array;
  readonly tags: [string, string][];
  readonly cap: bigint;
  /** The objects that a transaction of this id makes. */
  objectsOf(id: string): readonly ArweaveObject[];
}

/** Signs, pays for and posts one transaction; returns its id and what it cost, in winston. */
const postData = async (
  poster: Poster,
  arweave: GatewayCall,
  { what, data, tags, cap, objectsOf }: Order,
  stop: AbortSignal,
): Promise<{ id: string; price: bigint; served: Uint8Array | undefined }> => {
  const { wallet, gateway } = poster;
  const price = await quote(arweave, what, data.length, cap, wallet.address);
  const transaction = await signTransaction(arweave, wallet, data, tags, price);
  const { id } = transaction;
  const doing = `${gateway.where}: put of ${what.slice(gateway.where.length + 2)}`;
  await poster.post(arweave, doing, { transaction, data, objects: objectsOf(id) }, stop);
  // Some gateways serve the data only minutes later; where it is there already, it must be what was sent.
  const served = await transactionData(arweave, id);
  return { id, price, served: served !== undefined && served.length >= data.length ? served : undefined };
};

const postAlone = (poster: Poster, { object, bytes, signal }: Unposted): Promise<Receipt> => {
  const { gateway, silenceMs, maxWinston } = poster;
  const { where } = gateway;
  // No request carries more than a chunk of 256 KiB, so the time of silence suffices for each.
  return askGateway(gateway, `put of ${object.key}`, silenceMs, signal, async (arweave, stop) => {
    const objectsOf = (id: string): ArweaveObject[] => [{ ...object, id, carrier: id, pending: true }];
    const order = { what: `${where}: ${object.key}`, data: payloadOf(bytes), tags: tagsOf(object), cap: BigInt(maxWinston), objectsOf };
    const { id, price, served } = await postData(poster, arweave, order, stop);
    if (served !== undefined) checkBytes(where, { ...object, id, carrier: id, pending: true }, served);
    return { id, bytes: bytes.length, cost: `${price} winston` };
  });
};

/** Many objects in one transaction, each signed by itself. Who has stopped waiting for one does not stop the others. */
const postTogether = (poster: Poster, all: readonly Unposted[]): Promise<Receipt[]> => {
  const { gateway, wallet, silenceMs, maxWinston } = poster;
  const { where } = gateway;
  const name = `${all.length} objects in a bundle, ${all[0]!.object.key} among them`;
  return askGateway(gateway, `put of ${name}`, silenceMs, nobodyStops, async (arweave, stop) => {
    const items = await Promise.all(all.map(({ object, bytes }) => signItem(wallet, tagsOf(object), payloadOf(bytes))));
    const data = encodeBundle(items);
    const objectsOf = (carrier: string): ArweaveObject[] =>
      all.map(({ object }, index) => ({ ...object, id: items[index]!.id, carrier, pending: true }));
    const tags: [string, string][] = [applicationTag, ...bundleTags].map(([key, value]) => [key, value]);
    const order = { what: `${where}: ${name}`, data, tags, cap: BigInt(maxWinston) * BigInt(all.length), objectsOf };
    const { price } = await postData(poster, arweave, order, stop);
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
