import type { Renewal } from "../stores/store.ts";
import { type Catalog, query, run, transaction } from "./catalog.ts";
import type { Instant } from "./records.ts";

export interface RecordedRenewal extends Omit<Renewal, "problem"> {
  readonly store: string;
  readonly problem: string | null;
  readonly askedAt: string;
  /** When it was last extended; null when never by us. */
  readonly renewedAt: string | null;
}

/** What a store's service ends by itself, as it said at `at`, and which of it was renewed. What it no longer names is forgotten. */
export const recordRenewals = async (
  catalog: Catalog,
  store: string,
  renewals: readonly Renewal[],
  renewed: readonly string[],
  at: Instant,
): Promise<void> =>
  await transaction(catalog, `recording what ends in ${store}`, async (db) => {
    await run(db, "DELETE FROM dbgov.renewal WHERE store = $1 AND what <> ALL ($2::text[])", [store, renewals.map(({ what }) => what)]);
    for (const { what, until, fundedUntil, renewable, problem } of renewals) {
      await run(
        db,
        `INSERT INTO dbgov.renewal (store, what, until, funded_until, renewable, problem, asked_at, renewed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $8 THEN $7::timestamptz END)
         ON CONFLICT (store, what) DO UPDATE SET until = excluded.until, funded_until = excluded.funded_until, renewable = excluded.renewable,
           problem = excluded.problem, asked_at = excluded.asked_at, renewed_at = coalesce(excluded.renewed_at, renewal.renewed_at)`,
        [store, what, until, fundedUntil, renewable, problem ?? null, at, renewed.includes(what)],
      );
    }
  });

/** Of every store; what ends first comes first. */
export const listRenewals = (catalog: Catalog): Promise<RecordedRenewal[]> =>
  query(
    catalog,
    "listing what ends",
    `SELECT store, what, until, funded_until AS "fundedUntil", renewable, problem, asked_at AS "askedAt", renewed_at AS "renewedAt"
     FROM dbgov.renewal ORDER BY least(until, funded_until) NULLS LAST, store, what`,
  );
