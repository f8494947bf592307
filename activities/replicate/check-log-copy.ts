import { endFindings, recordFindings } from "../../core/catalog/copy-findings.ts";
import { recordEvidence } from "../../core/catalog/record-challenges.ts";
import { durationMs } from "../../core/domain/duration.ts";
import { isFailure } from "../../core/domain/failure.ts";
import type { FindingKind } from "../../core/domain/store-trust.ts";
import { checkLogCopy } from "../../core/ledger/check-log-copy.ts";
import { checkpointKey } from "../../core/ledger/tiles.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { keepAlive } from "../keep-alive.ts";
import { logPlaceOf } from "./copy-log.ts";

/** Longer than any store's own time limit for one object. */
const standstill = { afterMs: 5 * 60_000, type: "StoreUnreachable" } as const;

export const createCheckLogCopy = ({ site }: ActivityEnvironment) => ({
  /** Reads the tiles of a store's copy of the log whose turn it is (or all), and puts right what is missing or altered. `publicKey` is the log's, as hex. */
  checkLogCopy: ({
    store: name,
    publicKey,
    all,
  }: {
    store: string;
    publicKey: string;
    all: boolean;
  }): Promise<{ asked: number; found: number }> =>
    keepAlive({ ...standstill, what: `reading the copy of the log in ${name}` }, async (report, signal) => {
      const at = await site();
      const catalog = await at.catalog();
      const { every, coverDays } = at.loaded.config.durability;
      const of = all ? 1 : Math.max(1, Math.floor((coverDays * 86_400_000) / durationMs(every)));
      const now = new Date();
      const turn = Math.floor(now.getTime() / durationMs(every));
      try {
        const place = await logPlaceOf(at, publicKey, signal);
        const { asked, replaced } = await checkLogCopy(place, await at.store(name), { turn, of }, (object) =>
          report({ store: name, object }),
        );
        const kinds = new Map<FindingKind | "proven", number>([["proven", asked - replaced.length]]);
        for (const { key, missing } of replaced) {
          const kind = missing ? "missing" : "changed";
          kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
          const message = `${key} of the log's copy in store ${name} was ${missing ? "missing" : "altered"}`;
          await recordFindings(catalog, [{ store: name, object: key, kind, message }], now);
          await endFindings(catalog, { store: name, object: key }, at.loaded.config.log.store);
        }
        await recordEvidence(catalog, name, kinds);
        await endFindings(catalog, { store: name, object: checkpointKey });
        return { asked, found: replaced.length };
      } catch (error) {
        signal.throwIfAborted();
        if (!isFailure(error, "LedgerCorrupt")) throw error;
        // A copy of another history is evidence: nobody overwrites it but an operator.
        await recordFindings(catalog, [{ store: name, object: checkpointKey, kind: "changed", message: error.message }], now);
        await recordEvidence(catalog, name, new Map([["changed", 1]]));
        return { asked: 1, found: 1 };
      }
    }),
});
