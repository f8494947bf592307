import { cancellationSignal, log as workerLog } from "@temporalio/activity";
import { latestPublished } from "../../core/catalog/latest-checkpoint.ts";
import { withAdvisoryLock } from "../../core/catalog/locks.ts";
import { recordPublished } from "../../core/catalog/record-checkpoint.ts";
import { Failure } from "../../core/domain/failure.ts";
import { keptNoteOf, keysOf, type LogSigner, signedToday } from "../../core/ledger/checkpoint.ts";
import { replaceIfOther } from "../../core/ledger/copy-log.ts";
import { publishedNoteKey } from "../../core/ledger/evidence-keys.ts";
import { type Log, openLog } from "../../core/ledger/log.ts";
import { checkpointKey } from "../../core/ledger/tiles.ts";
import { gatherCosignatures } from "../../core/ledger/witness-client.ts";
import { logCopies } from "../../core/site/log-copies.ts";
import type { Site } from "../../core/site/site.ts";
import { openLogToAppend } from "../../core/site/site-log.ts";
import type { Store } from "../../core/stores/store.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { sayHealed } from "./append-entries.ts";

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
    await putLogRight(at, origin);
    // One at a time: an older head must not take the place of a newer one.
    return await withAdvisoryLock(catalog, `publish ${origin}`, cancellationSignal(), async (signal) => {
      const before = await latestPublished(catalog, origin);
      if (witnessQuorum === 0) return { ...published, size: before?.size ?? 0, witnesses: [] };
      const store = await at.store(storeName);
      const log = await openLog({ store, origin, signer, signal, unpublished: true });
      const head = log.checkpoint();
      if (head.size === (before?.size ?? 0)) {
        if (before !== undefined) await restorePublished(log, store, before, signer, signal);
        return { ...published, size: head.size, witnesses: [] };
      }
      // Opening the log has checked it against its tiles; another worker may have signed it with the key of before alone.
      const own = { ...head, note: await signedToday(head.note, signer) };
      const { note, witnesses: names } = await gatherCosignatures(log, own, witnesses, witnessQuorum);
      const bytes = new TextEncoder().encode(note);
      await store.put(publishedNoteKey(head.size), bytes, signal);
      await store.put(checkpointKey, bytes, signal);
      await recordPublished(catalog, origin, head.size, note, new Date());
      workerLog.info("published", { size: head.size, witnesses: names.join(", ") });
      return { ...published, size: head.size, witnesses: names };
    });
  },
});

/** What copies are made of, and what others read, is put right also while the log does not grow. */
const putLogRight = async (site: Site, origin: string): Promise<void> => {
  await withAdvisoryLock(await site.catalog(), `log ${origin}`, cancellationSignal(), async (signal) => {
    await openLogToAppend(site, signal, sayHealed);
  });
};

/** The published head, should it be lost or another: with its cosignatures, as the catalog has it. */
const restorePublished = async (
  log: Log,
  store: Store,
  { size, note }: { readonly size: number; readonly note: string },
  signer: LogSigner,
  signal: AbortSignal,
): Promise<void> => {
  const kept = await keptNoteOf(note, await log.checkpointAt(size), signer);
  if (kept === undefined) {
    throw new Failure("LedgerCorrupt", `the published checkpoint of size ${size} that the catalog has is not one of the log ${log.origin}`);
  }
  const bytes = new TextEncoder().encode(kept);
  if (await replaceIfOther({ store, origin: log.origin, keys: keysOf(signer), signal }, checkpointKey, bytes)) sayHealed([checkpointKey]);
};
