import { heartbeat, sleep } from "@temporalio/activity";
import { latestCheckpoint } from "../../core/catalog/latest-checkpoint.ts";
import { markAnchored } from "../../core/catalog/mark-anchored.ts";
import { latestAnchor } from "../../core/catalog/read-anchors.ts";
import { recordAnchor } from "../../core/catalog/record-anchor.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { AnchorStatus } from "../../core/ledger/evm.ts";
import { registryPlace } from "../../core/site/registry-place.ts";
import type { ActivityEnvironment } from "../environment.ts";

/** A checkpoint on its way to being final on a chain. */
export interface Submitted {
  readonly size: number;
  readonly root: string;
  readonly transaction: string;
}

/** Loaded when there is something to anchor: what speaks with chains takes megabytes. */
const evm = () => import("../../core/ledger/evm.ts");

/** One attempt to follow ends after this, so that a chain that stands still shows in the workflow's history. */
const followForMs = 10 * 60_000;

export const createAnchorCheckpoint = ({ site }: ActivityEnvironment) => ({
  /** Submits the log's head to the registry. Null when there is nothing that is not final there already. */
  submitCheckpoint: async ({ anchor }: { anchor: string }): Promise<Submitted | null> => {
    const at = await site();
    const catalog = await at.catalog();
    const head = await latestCheckpoint(catalog, at.loaded.config.log.origin);
    const final = await latestAnchor(catalog, anchor, "finalized");
    if (head === undefined || head.size <= (final?.size ?? 0)) return null;
    const place = await registryPlace(at, anchor);
    const { size, root } = head;
    const key = await at.secret(at.anchor(anchor).submitterKey);
    const { transaction } = await (await evm()).submitCheckpoint({ ...place, size, root, key });
    const { chainId, contract } = place;
    await recordAnchor(catalog, {
      anchor,
      size,
      root,
      chainId,
      contract,
      transaction,
      block: null,
      blockHash: null,
      status: "submitted",
      at: new Date(),
    });
    return { size, root, transaction };
  },

  /**
   * Follows the transaction until it is final or dropped, or until a while has passed without either. At `finalized` its
   * block's hash is checked against the chain once more.
   */
  followAnchor: async ({
    anchor,
    pollMs,
    ...submitted
  }: Submitted & { anchor: string; pollMs: number }): Promise<AnchorStatus["status"]> => {
    const at = await site();
    const catalog = await at.catalog();
    const place = await registryPlace(at, anchor);
    const { anchorStatus } = await evm();
    const until = Date.now() + followForMs;
    for (;;) {
      const found = await anchorStatus({ ...place, ...submitted });
      heartbeat({ status: found.status });
      if (found.status === "mined" || found.status === "finalized") {
        const { status, block, blockHash } = found;
        const { chainId, contract } = place;
        await recordAnchor(catalog, { anchor, ...submitted, chainId, contract, block, blockHash, status, at: new Date() });
      }
      if (found.status === "finalized" || found.status === "dropped" || Date.now() > until) return found.status;
      await sleep(pollMs);
    }
  },

  /** Every snapshot whose entry lies under the finalized checkpoint is `anchored`. */
  recordAnchored: async ({ anchor, size }: Submitted & { anchor: string }): Promise<{ snapshots: number }> => {
    const catalog = await (await site()).catalog();
    const final = await latestAnchor(catalog, anchor, "finalized");
    if (final === undefined || final.size < size)
      throw new Failure("Unexpected", `anchor ${anchor} is not recorded as final for size ${size}`);
    const { chainId, contract, transaction, block, blockHash } = final;
    const evidence = { anchor, size: final.size, root: final.root, chainId, contract, transaction, block, blockHash };
    return { snapshots: await markAnchored(catalog, final.size, evidence, new Date()) };
  },
});
