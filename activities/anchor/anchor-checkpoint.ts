import { cancellationSignal, heartbeat, log, sleep } from "@temporalio/activity";
import { recordDropped, recordFinal } from "../../core/catalog/chain-transactions.ts";
import { markAnchored } from "../../core/catalog/mark-anchored.ts";
import { latestAnchor } from "../../core/catalog/read-anchors.ts";
import { recordAnchor } from "../../core/catalog/record-anchor.ts";
import type { AnchorRecord } from "../../core/catalog/records.ts";
import { durationMs } from "../../core/domain/duration.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { chainEvidenceKey } from "../../core/ledger/evidence-keys.ts";
import type { AnchorStatus } from "../../core/ledger/evm.ts";
import { canonicalJson } from "../../core/ledger/verify/canonical.ts";
import { registryPlace } from "../../core/site/registry-place.ts";
import type { Site } from "../../core/site/site.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { evm } from "./evm.ts";
import { signalPublishing } from "./request-anchoring.ts";
import type { Submitted } from "./submit-checkpoint.ts";

/** One attempt to follow ends after this, so that a chain that stands still shows in the workflow's history. */
const followForMs = 10 * 60_000;

export const createAnchorCheckpoint = ({ site }: ActivityEnvironment) => ({
  /**
   * Follows the transaction until it is final or dropped, until it has waited for a block for as long as the configuration lets it, or
   * until a while has passed without any of these. At `finalized` its block's hash is checked against the chain once more.
   */
  followAnchor: async ({
    anchor,
    pollMs,
    ...submitted
  }: Submitted & { anchor: string; pollMs: number }): Promise<AnchorStatus["status"]> => {
    const at = await site();
    const catalog = await at.catalog();
    const place = await registryPlace(at, anchor);
    const { chainId, contract } = place;
    const { anchorStatus } = await evm();
    const started = Date.now();
    const pendingForMs = Math.min(followForMs, durationMs(at.anchor(anchor).replaceAfter));
    for (;;) {
      const found = await anchorStatus({ ...place, ...submitted });
      heartbeat({ status: found.status });
      if (found.status === "mined" || found.status === "finalized") {
        const { status, block, blockHash } = found;
        await recordAnchor(catalog, { anchor, ...submitted, chainId, contract, block, blockHash, status, at: new Date() });
        if (found.status === "finalized") await recordFinal(catalog, chainId, submitted.transaction, found.cost);
      }
      if (found.status === "dropped") await recordDropped(catalog, chainId, submitted.transaction);
      const waited = Date.now() - started;
      const over = found.status === "pending" ? waited > pendingForMs : waited > followForMs;
      if (found.status === "finalized" || found.status === "dropped" || over) return found.status;
      await sleep(pollMs);
    }
  },

  /** Every snapshot whose entry lies under the finalized checkpoint is `anchored`. */
  recordAnchored: async ({ anchor, size }: Submitted & { anchor: string }): Promise<{ snapshots: number }> => {
    const at = await site();
    const catalog = await at.catalog();
    const final = await latestAnchor(catalog, anchor, "finalized");
    if (final === undefined || final.size < size)
      throw new Failure("Unexpected", `anchor ${anchor} is not recorded as final for size ${size}`);
    const { chainId, contract, transaction, block, blockHash } = final;
    const evidence = { anchor, size: final.size, root: final.root, chainId, contract, transaction, block, blockHash };
    const snapshots = await markAnchored(catalog, final.size, evidence, new Date());
    await keepEvidence(at, anchor, final);
    await signalPublishing(at);
    return { snapshots };
  },
});

/** Beside the log, so that the proof outlives the chain's nodes. A chain whose blocks cannot be proven offline leaves none. */
const keepEvidence = async (site: Site, anchor: string, { size, root, transaction, blockHash }: AnchorRecord): Promise<void> => {
  try {
    const evidence = await (await evm()).collectEvidence({ ...(await registryPlace(site, anchor)), size, root, transaction });
    if (evidence.blockHash !== blockHash)
      throw new Failure("ChainUnreachable", `${anchor}: the node shows another block than the final one`);
    const store = await site.store(site.loaded.config.log.store);
    await store.put(chainEvidenceKey(size, anchor), new TextEncoder().encode(canonicalJson(evidence)), cancellationSignal());
  } catch (error) {
    if (!isFailure(error, "ChainRejected")) throw error;
    log.warn("no evidence could be kept of an anchor", { anchor, size, reason: error.message });
  }
};
