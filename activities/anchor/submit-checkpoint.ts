import { cancellationSignal } from "@temporalio/activity";
import { openTransaction, recordSent, spentSince } from "../../core/catalog/chain-transactions.ts";
import { latestPublished } from "../../core/catalog/latest-checkpoint.ts";
import { withAdvisoryLock } from "../../core/catalog/locks.ts";
import { latestAnchor } from "../../core/catalog/read-anchors.ts";
import { recordAnchor } from "../../core/catalog/record-anchor.ts";
import { durationMs } from "../../core/domain/duration.ts";
import { isFailure } from "../../core/domain/failure.ts";
import type { SignedTransaction } from "../../core/ledger/evm.ts";
import { registryPlace } from "../../core/site/registry-place.ts";
import type { Site } from "../../core/site/site.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { evm } from "./evm.ts";

/** A checkpoint on its way to being final on a chain. */
export interface Submitted {
  readonly size: number;
  readonly root: string;
  readonly transaction: string;
}

/** Why nothing was sent now, in a sentence: the budget of the month, the cap of the fees, another anchor's transaction. */
export interface Queued {
  readonly queued: string;
}

class OverBudget extends Error {}

export const createSubmitCheckpoint = ({ site }: ActivityEnvironment) => ({
  /**
   * Submits the log's published head to the registry, one process at a time for a chain, and one transaction at a time: what an earlier
   * attempt or another worker has sent is followed, broadcast again or replaced before anything new is made. Null when there is nothing
   * that is not final there already.
   */
  submitCheckpoint: async ({ anchor }: { anchor: string }): Promise<Submitted | Queued | null> => {
    const at = await site();
    const catalog = await at.catalog();
    const { chainId } = at.anchor(anchor);
    return await withAdvisoryLock(catalog, `chain ${chainId}`, cancellationSignal(), () => submit(at, anchor));
  },
});

const submit = async (site: Site, anchor: string): Promise<Submitted | Queued | null> => {
  const catalog = await site.catalog();
  const head = await latestPublished(catalog, site.loaded.config.log.origin);
  const final = await latestAnchor(catalog, anchor, "finalized");
  if (head === undefined || head.size <= (final?.size ?? 0)) return null;
  const { submitterKey, budgetPerMonthWei, replaceAfter } = site.anchor(anchor);
  const place = await registryPlace(site, anchor);
  const { chainId, contract } = place;
  const open = await openTransaction(catalog, chainId);
  if (open !== undefined && open.anchor !== anchor) {
    return { queued: `the transaction ${open.transaction} of anchor ${open.anchor} is on its way on chain ${chainId}: one at a time` };
  }
  const { submitCheckpoint, addressOfKey } = await evm();
  const key = await site.secret(submitterKey);
  const stale = open !== undefined && Date.now() - Date.parse(open.sentAt) > durationMs(replaceAfter);
  // What is on its way is seen through, unless it has to be replaced anyway: then by the newest head.
  const { size, root } = open !== undefined && !stale ? open : head;
  const remember = async (signed: SignedTransaction): Promise<void> => {
    const { nonce, transaction, raw, maxFeePerGas, maxPriorityFeePerGas, maxCost } = signed;
    await refuseOverBudget(site, anchor, budgetPerMonthWei, maxCost, nonce);
    const account = addressOfKey(key);
    const amounts = { fee: String(maxFeePerGas), tip: String(maxPriorityFeePerGas), maxCost: String(maxCost) };
    await recordSent(catalog, { chainId, account, nonce, transaction, anchor, size, root, raw, ...amounts, sentAt: new Date() });
  };
  const inFlight =
    open === undefined
      ? undefined
      : {
          ...{ transaction: open.transaction, nonce: open.nonce, raw: open.raw, stale },
          ...{ maxFeePerGas: BigInt(open.fee), maxPriorityFeePerGas: BigInt(open.tip), maxCost: BigInt(open.maxCost) },
        };
  try {
    const { transaction } = await submitCheckpoint({ ...place, size, root, key }, { inFlight, remember });
    const told = open?.transaction === transaction ? { size: open.size, root: open.root } : { size, root };
    const none = { block: null, blockHash: null };
    await recordAnchor(catalog, { anchor, ...told, chainId, contract, transaction, ...none, status: "submitted", at: new Date() });
    return { ...told, transaction };
  } catch (error) {
    if (error instanceof OverBudget || isFailure(error, "CostCapExceeded")) return { queued: error.message };
    throw error;
  }
};

/** Before a transaction is sent. The month is the calendar's, in UTC. */
const refuseOverBudget = async (site: Site, anchor: string, budget: string | undefined, cost: bigint, nonce: number): Promise<void> => {
  if (budget === undefined) return;
  const now = new Date();
  const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth()));
  const spent = await spentSince(await site.catalog(), anchor, month, nonce);
  if (spent + cost <= BigInt(budget)) return;
  const name = month.toISOString().slice(0, 7);
  throw new OverBudget(
    `anchor ${anchor} has spent ${spent} of ${budget} wei in ${name}, and the next transaction may cost ${cost}: it waits for the next month, or a larger budgetPerMonthWei`,
  );
};
