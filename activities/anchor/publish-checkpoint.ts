import { cancellationSignal, log as workerLog } from "@temporalio/activity";
import { latestPublished } from "../../core/catalog/latest-checkpoint.ts";
import { withAdvisoryLock } from "../../core/catalog/locks.ts";
import { recordPublished } from "../../core/catalog/record-checkpoint.ts";
import { publishedNoteKey } from "../../core/ledger/evidence-keys.ts";
import { openLog } from "../../core/ledger/log.ts";
import { checkpointKey } from "../../core/ledger/tiles.ts";
import { gatherCosignatures } from "../../core/ledger/witness-client.ts";
import { logCopies } from "../../core/site/log-copies.ts";
import type { ActivityEnvironment } from "../environment.ts";

/** What is public of the log now, and where copies of it belong. */
export interface Published {
  readonly size: number;
  /** Witnesses that have cosigned it. */
  readonly witnesses: readonly string[];
  /** The log's key, as hex: who copies the log checks it, and need not be able to sign it. */
  readonly publicKey: string;
  readonly stores: readonly string[];
  /** Whether anchors wait for this, and not for the append itself. */
  readonly attest: boolean;
}

export const createPublishCheckpoint = ({ site }: ActivityEnvironment) => ({
  /**
   * Publishes the log's head: once enough witnesses have cosigned it, where the configuration asks for witnesses. Throws `WitnessesMissing`
   * until then.
   */
  publishCheckpoint: async (): Promise<Published> => {
    const at = await site();
    const catalog = await at.catalog();
    const { origin, store: storeName, witnesses, witnessQuorum } = at.loaded.config.log;
    const signer = await at.logSigner();
    const publicKey = Buffer.from(signer.publicKey).toString("hex");
    const published = { publicKey, stores: logCopies(at), attest: witnessQuorum > 0 };
    // One at a time: an older head must not take the place of a newer one.
    return await withAdvisoryLock(catalog, `publish ${origin}`, cancellationSignal(), async (signal) => {
      const before = await latestPublished(catalog, origin);
      if (witnessQuorum === 0) return { ...published, size: before?.size ?? 0, witnesses: [] };
      const store = await at.store(storeName);
      const log = await openLog({ store, origin, signer, signal, unpublished: true });
      const head = log.checkpoint();
      if (head.size === (before?.size ?? 0)) return { ...published, size: head.size, witnesses: [] };
      const { note, witnesses: names } = await gatherCosignatures(log, head, witnesses, witnessQuorum);
      const bytes = new TextEncoder().encode(note);
      await store.put(publishedNoteKey(head.size), bytes, signal);
      await store.put(checkpointKey, bytes, signal);
      await recordPublished(catalog, origin, head.size, note, new Date());
      workerLog.info("published", { size: head.size, witnesses: names.join(", ") });
      return { ...published, size: head.size, witnesses: names };
    });
  },
});
