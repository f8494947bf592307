import { type Catalog, query } from "./catalog.ts";
import { isArchived } from "./is-archived.ts";
import type { Instant } from "./records.ts";

export interface DueCopy {
  /** The object's key. */
  readonly object: string;
  /** As the store said when it was written. */
  readonly bytes: number;
  /** What the store called it then. */
  readonly receipt: string;
  /** It is known to lie in a tier where nothing can be read for hours. */
  readonly archived: boolean;
  /** Of one that was archived, as the service told it then; null when it did not. */
  readonly md5: string | null;
}

/** Up to `limit` copies in a store that were last challenged before that time, or written then and never challenged; longest ago first. */
export const dueCopies = (catalog: Catalog, store: string, askedBefore: Instant, limit: number): Promise<DueCopy[]> =>
  query(
    catalog,
    `choosing copies in ${store} to challenge`,
    `SELECT object, bytes, receipt, ${isArchived("r")} AS archived,
       (SELECT md5 FROM dbgov.protection p WHERE p.object = r.object AND p.store = r.store) AS md5
     FROM dbgov.replica r WHERE store = $1 AND receipt IS NOT NULL AND coalesce(asked_at, recorded_at) < $2
     ORDER BY coalesce(asked_at, recorded_at), object LIMIT $3`,
    [store, askedBefore, limit],
  );

export interface StoreCoverage {
  readonly store: string;
  /** Copies that are recorded to be there. */
  readonly copies: number;
  readonly packs: number;
  /** Packs among them that lie where nothing can be read, how many of these were looked at since that time and there, and the longest ago of all. */
  readonly archived: number;
  readonly present: number;
  readonly oldestPresent: string | null;
  /** Copies that were challenged, and right, since the time that was asked for. */
  readonly covered: number;
  /** Copies that were neither challenged nor written since that time. */
  readonly overdue: number;
  /** The longest ago that a copy there was challenged and right; null when one never was, or there is none. */
  readonly oldest: string | null;
  /** Copies that were found bad and are not replaced yet. */
  readonly lost: number;
}

/** When the copy was written that each store has had for longest. */
export const oldestCopies = (catalog: Catalog): Promise<{ store: string; writtenAt: string }[]> =>
  query(
    catalog,
    "looking since when stores have copies",
    `SELECT store, min(recorded_at) AS "writtenAt" FROM dbgov.replica WHERE receipt IS NOT NULL GROUP BY store ORDER BY store`,
  );

/** By store, for each that is recorded to have anything. */
export const storeCoverage = (catalog: Catalog, since: Instant): Promise<StoreCoverage[]> =>
  query(
    catalog,
    "summing up which copies were challenged",
    `SELECT store, count(*) FILTER (WHERE receipt IS NOT NULL) AS copies,
       count(*) FILTER (WHERE receipt IS NOT NULL AND object LIKE 'packs/%') AS packs,
       count(*) FILTER (WHERE receipt IS NOT NULL AND archived) AS archived,
       count(*) FILTER (WHERE receipt IS NOT NULL AND archived AND present_at >= $1) AS present,
       CASE WHEN bool_and(present_at IS NOT NULL) FILTER (WHERE receipt IS NOT NULL AND archived)
         THEN min(present_at) FILTER (WHERE receipt IS NOT NULL AND archived) END AS "oldestPresent",
       count(*) FILTER (WHERE receipt IS NOT NULL AND challenged_at >= $1) AS covered,
       count(*) FILTER (WHERE receipt IS NOT NULL AND coalesce(asked_at, recorded_at) < $1) AS overdue,
       CASE WHEN bool_and(challenged_at IS NOT NULL) FILTER (WHERE receipt IS NOT NULL AND NOT archived)
         THEN min(challenged_at) FILTER (WHERE NOT archived) END AS oldest,
       count(*) FILTER (WHERE lost_at IS NOT NULL) AS lost
     FROM (SELECT *, ${isArchived("replica")} AS archived FROM dbgov.replica) r GROUP BY store ORDER BY store`,
    [since],
  );
