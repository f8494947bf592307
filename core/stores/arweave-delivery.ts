import { askGateway, type Gateway, type GatewayCall, transactionState } from "./arweave-gateway.ts";
import type { Posting, PostingJournal } from "./arweave-journal.ts";
import type { ArweaveObject } from "./arweave-objects.ts";
import { awaitAccepted, isSingleChunk, postAgain, postChunks, postTransaction } from "./arweave-posting.ts";
import type { Wallet } from "./arweave-wallet.ts";
import { oneAtATime } from "./in-turn.ts";

/** Where transactions go, and what is known of those that were sent. */
export interface Delivery {
  readonly wallet: Wallet;
  readonly gateway: Gateway;
  readonly silenceMs: number;
  /** What this process has posted: a gateway's index may show it minutes later, and nothing must be paid twice. */
  readonly posted: Map<string, ArweaveObject>;
  /** Bundles that are paid for and whose data may not have arrived, by their id: a gateway's index does not tell what is in them. */
  readonly unfinished: Map<string, Posting>;
  /** Undefined: who comes after a process that is killed pays again for what the index does not show yet. */
  readonly journal: PostingJournal | undefined;
}

const nobodyStops = new AbortController().signal;

export const createDelivery = (delivery: Delivery) => {
  const { wallet, gateway, silenceMs, posted, unfinished, journal } = delivery;
  const inTurn = oneAtATime();
  const underWay = new Set<string>();
  /** Whether all that the journal has is under way. */
  let isResumed = false;

  /** The network has the transaction; it gets what it lacks of the data. */
  const complete = async (arweave: GatewayCall, doing: string, posting: Posting, stop: AbortSignal): Promise<void> => {
    const { transaction, data, objects } = posting;
    const { id } = transaction;
    const isBundle = objects.some((object) => object.id !== id);
    for (const object of objects) posted.set(object.key, object);
    if (!isSingleChunk(transaction)) {
      if (isBundle) unfinished.set(id, posting);
      await postChunks(arweave, doing, transaction, data, stop);
    }
    await awaitAccepted(arweave, doing, id, silenceMs, stop);
    unfinished.delete(id);
    await journal?.drop(id, stop);
  };

  const goOn = async (arweave: GatewayCall, posting: Posting, stop: AbortSignal): Promise<void> => {
    const { id, owner } = posting.transaction;
    if (underWay.has(id) || owner !== wallet.key.n) return;
    const doing = `${gateway.where}: transaction ${id}, which was signed before`;
    if ((await transactionState(arweave, id)) === "missing" && !(await postAgain(arweave, doing, posting.transaction)))
      await journal?.drop(id, stop);
    else await complete(arweave, doing, posting, stop);
  };

  return {
    /** Pays for a signed transaction and brings it to the network, whole. */
    post: async (arweave: GatewayCall, doing: string, posting: Posting, stop: AbortSignal): Promise<void> => {
      const { id } = posting.transaction;
      underWay.add(id);
      try {
        await journal?.keep(posting, stop);
        await postTransaction(arweave, doing, posting.transaction);
        await complete(arweave, doing, posting, stop);
      } catch (error) {
        isResumed = false;
        throw error;
      } finally {
        underWay.delete(id);
      }
    },

    /** Goes on with what an earlier attempt, or a process that was killed, has signed and not brought to an end. Asks once, and again after a failure. */
    resume: async (signal: AbortSignal): Promise<void> => {
      if (journal === undefined || isResumed) return;
      await inTurn("", signal, async () => {
        if (isResumed) return;
        const doing = "what was signed before";
        await askGateway(gateway, doing, silenceMs, nobodyStops, async (arweave, stop) => {
          for await (const posting of journal.kept(arweave, stop)) await goOn(arweave, posting, stop);
        });
        isResumed = true;
      });
    },
  };
};
