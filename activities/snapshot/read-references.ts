import { log } from "@temporalio/activity";
import { noteReferences, type RangeReferences } from "../../core/catalog/note-references.ts";
import { type UnreadRange, unreadRanges } from "../../core/catalog/unread-ranges.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { rangeKey } from "../../core/repository/object-keys.ts";
import { contentBytes, packUses } from "../../core/repository/pack-use.ts";
import { openRangeIndex, verifyRange } from "../../core/repository/ranges.ts";
import type { Site } from "../../core/site/site.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { keepAlive } from "../keep-alive.ts";

const standstill = { afterMs: 5 * 60_000, type: "StoreUnreachable" } as const;
const atOnce = 200;

export const createReadReferences = ({ site }: ActivityEnvironment) => ({
  /**
   * Reads, once each, what the ranges of living snapshots refer to, from landing stores: the index key opens that, and no content. A range
   * that none of them has whole is left for the next run, and the packs that it refers to count as needed until then.
   */
  readReferences: (): Promise<{ read: number; left: number }> =>
    keepAlive({ ...standstill, what: "reading what ranges refer to" }, async (report, signal) => {
      const at = await site();
      const catalog = await at.catalog();
      const { indexKey } = await at.repositoryKeys();
      const stores = [...new Set(at.loaded.config.policies.map(({ landing }) => landing))];
      const done = { read: 0, left: 0 };
      for (let after = 0; ; ) {
        const page = await unreadRanges(catalog, { after, limit: atOnce, stores });
        const last = page.at(-1);
        if (last === undefined) {
          if (done.left > 0) log.warn(`${done.left} ranges are whole in no landing store: the packs that they refer to are not judged`);
          return done;
        }
        const found: RangeReferences[] = [];
        for (const range of page) {
          const references = await referencesOf(at, range, indexKey, signal);
          if (references !== undefined) found.push(references);
          report({ range: range.id });
        }
        await noteReferences(catalog, found);
        done.read += found.length;
        done.left += page.length - found.length;
        after = last.number;
      }
    }),
});

const referencesOf = async (
  site: Site,
  { number, id, store }: UnreadRange,
  indexKey: Uint8Array,
  signal: AbortSignal,
): Promise<RangeReferences | undefined> => {
  if (store === null) return undefined;
  try {
    const bytes = await (await site.store(store)).get(rangeKey(id), signal);
    verifyRange(bytes, id);
    const index = openRangeIndex(bytes, indexKey);
    return { number, contentBytes: contentBytes(index), uses: packUses(index) };
  } catch (error) {
    // Repair finds and replaces it.
    if (isFailure(error, "ObjectMissing") || isFailure(error, "ObjectCorrupt")) return undefined;
    throw error;
  }
};
