import { latestCheckpoint } from "../../core/catalog/latest-checkpoint.ts";
import { markAnchored } from "../../core/catalog/mark-anchored.ts";
import { latestAnchor } from "../../core/catalog/read-anchors.ts";
import { recordAnchor } from "../../core/catalog/record-anchor.ts";
import { Failure } from "../../core/domain/failure.ts";
import { anchorStatus, submitCheckpoint } from "../../core/ledger/evm.ts";
import { registryPlace } from "../../core/site/registry-place.ts";
import type { ActivityEnvironment } from "../environment.ts";

/** A checkpoint on its way to being final on a chain. */
export interface Submitted {
  readonly size: number;
  readonly root: string;
  readonly transaction: string;
}

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
    const { transaction } = await submitCheckpoint({ ...place, size, root, key });
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

  /** Looks how far the transaction has come. At `finalized` its block's hash is checked against the chain once more. */
  followAnchor: async ({
    anchor,
    size,
    root,
    transaction,
  }: Submitted & { anchor: string }): Promise<{ status: "pending" | "mined" | "finalized" | "dropped" }> => {
    const at = await site();
    const place = await registryPlace(at, anchor);
    const found = await anchorStatus({ ...place, size, root, transaction });
    if (found.status === "mined" || found.status === "finalized") {
      const { status, block, blockHash } = found;
      const { chainId, contract } = place;
      await recordAnchor(await at.catalog(), {
        anchor,
        size,
        root,
        chainId,
        contract,
        transaction,
        block,
        blockHash,
        status,
        at: new Date(),
      });
    }
    return { status: found.status };
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
