import { type Catalog, query } from "./catalog.ts";
import type { Instant } from "./records.ts";

/** A store does not let a copy go yet. It is not asked again before `retryAt`; nothing else waits for it. */
export const noteRetained = async (
  catalog: Catalog,
  copy: { readonly object: string; readonly store: string; readonly until: Instant | null; readonly retryAt: Instant },
): Promise<void> => {
  await query(
    catalog,
    `noting that ${copy.store} keeps ${copy.object}`,
    `INSERT INTO dbgov.retained_copy (object, store, until, retry_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (object, store) DO UPDATE SET until = excluded.until, retry_at = excluded.retry_at, refusals = retained_copy.refusals + 1`,
    [copy.object, copy.store, copy.until, copy.retryAt],
  );
};

/** Stores that keep copies which were to be deleted: how many, and when the last of them may go (null when a store does not say). */
export const retainedByStore = (catalog: Catalog): Promise<{ store: string; objects: number; until: string | null }[]> =>
  query(
    catalog,
    "counting what stores do not let go yet",
    `SELECT store, count(*) AS objects, CASE WHEN bool_and(until IS NOT NULL) THEN max(until) END AS until
     FROM dbgov.retained_copy GROUP BY store ORDER BY store`,
  );
