import { type Catalog, query } from "./catalog.ts";
import type { DeletableObject, Instant } from "./records.ts";

/** Whether the deletion of an object of `doomed` has begun; envelopes are past saving from the start. */
const begun = `CASE d.kind
  WHEN 'pack' THEN EXISTS (SELECT FROM dbgov.pack p WHERE p.id = decode(d.id, 'hex') AND p.deleted_at IS NOT NULL)
  WHEN 'range' THEN EXISTS (SELECT FROM dbgov.range r WHERE r.id = decode(d.id, 'hex') AND r.deleted_at IS NOT NULL)
  WHEN 'manifest' THEN EXISTS (SELECT FROM dbgov.snapshot s WHERE s.id = d.id AND s.manifest_deleted_at IS NOT NULL)
  ELSE true END`;

/** Copies in stores that are configured, unless the store was asked, and refuses for now. */
const copies = `SELECT r.store FROM dbgov.replica r WHERE r.object = d.key AND r.store = ANY ($3::text[])
  AND NOT EXISTS (SELECT FROM dbgov.retained_copy k WHERE k.object = r.object AND k.store = r.store AND k.retry_at > now())`;

/**
 * Objects that may go from these stores: condemned before that time, or whose deletion began and is not finished; and the
 * stored envelopes of destroyed ones, which wait for nothing. Oldest first, at most `limit`. What is only in other stores
 * by now is not among them, nor what no store lets go yet.
 */
export const deletable = (
  catalog: Catalog,
  condemnedBefore: Instant,
  limit: number,
  stores: readonly string[],
): Promise<DeletableObject[]> =>
  query(
    catalog,
    "listing what can be deleted",
    `SELECT d.key, d.kind, d.id,
       ARRAY(${copies} ORDER BY r.store) AS stores
     FROM dbgov.doomed d
     WHERE d.condemned_at < $1
       AND (NOT ${begun} OR EXISTS (${copies}))
     ORDER BY d.condemned_at, d.key LIMIT $2`,
    [condemnedBefore, limit, stores],
  );

/** Stores other than these that still have what was to be deleted, and how many objects each. */
export const outOfReach = (catalog: Catalog, stores: readonly string[]): Promise<{ store: string; objects: number }[]> =>
  query(
    catalog,
    "counting what cannot be deleted",
    `SELECT r.store, count(*) AS objects FROM dbgov.doomed d JOIN dbgov.replica r ON r.object = d.key
     WHERE r.store <> ALL ($1::text[]) AND ${begun} GROUP BY r.store ORDER BY r.store`,
    [stores],
  );
