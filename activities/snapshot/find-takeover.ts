import { claimRanges } from "../../core/catalog/claim-ranges.ts";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { openableBy } from "../../core/catalog/read-envelopes.ts";
import { latestSnapshot } from "../../core/catalog/read-snapshots.ts";
import { retiringPacks } from "../../core/catalog/sparse-packs.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { packKey, rangeKey } from "../../core/repository/object-keys.ts";
import type { Site } from "../../core/site/site.ts";
import { type EarlierPart, type TakeoverRecord, takeoverKey, takeoverVersion } from "../../core/snapshot/takeover.ts";
import { getPlanObject } from "./plan-objects.ts";

export interface Takeover extends TakeoverRecord {
  /** Ranges among them that refer to retiring packs: to be read again whatever the server calls them, so that the packs can go. */
  readonly again: ReadonlySet<string>;
}

/**
 * What the newest snapshot of a database leaves to the next one: only ranges that the landing store has whole and every
 * recipient can open, claimed so that retention leaves them alone. Undefined when there is nothing to take over.
 */
export const findTakeover = async (site: Site, database: string, landing: string, signal: AbortSignal): Promise<Takeover | undefined> => {
  const catalog = await site.catalog();
  const newest = await latestSnapshot(catalog, database);
  if (newest === undefined) return undefined;
  const { indexKey } = await site.repositoryKeys();
  let record: TakeoverRecord;
  try {
    record = await getPlanObject<TakeoverRecord>(await site.store(landing), indexKey, takeoverKey(newest.snapshot), signal);
  } catch (error) {
    // It is an aid: lost or damaged, it costs a full read.
    if (isFailure(error, "ObjectMissing") || isFailure(error, "ObjectCorrupt")) return undefined;
    throw error;
  }
  // An older release wrote another shape, a newer one may have.
  if (record.version !== takeoverVersion) return undefined;
  const keysOf = ({ range, packs }: EarlierPart): string[] => [rangeKey(range), ...packs.map(packKey)];
  const replicas = await listReplicas(catalog, [...new Set(record.parts.flatMap(keysOf))]);
  const whole = new Set(replicas.filter(({ store }) => store === landing).map(({ object }) => object));
  const recipients = (await site.recipients()).map(({ id }) => id);
  // A range that a recipient who came later could not open is read again, and sealed to all of them.
  const openable = new Set(
    await openableBy(
      catalog,
      record.parts.map(({ range }) => range),
      recipients,
    ),
  );
  const there = record.parts.filter((part) => openable.has(part.range) && keysOf(part).every((key) => whole.has(key)));
  const gone = new Set(await claimRanges(catalog, [...new Set(there.map(({ range }) => range))]));
  const parts = there.filter(({ range }) => !gone.has(range));
  const retiring = await retiringPacks(catalog, [...new Set(parts.flatMap(({ packs }) => packs))]);
  const again = parts.filter(({ packs }) => packs.some((pack) => retiring.has(pack))).map(({ range }) => range);
  return { ...record, parts, again: new Set(again) };
};
