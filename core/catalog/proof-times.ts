import { type Catalog, query } from "./catalog.ts";

/** How fast a store's losses were found and put right, as the records have it. Days, unless said otherwise. */
export interface ProofTimes {
  readonly store: string;
  /** Copies that count. */
  readonly copies: number;
  /** How far back the records of these reach. */
  readonly recordedDays: number;
  /** The longest that a copy was not proven by now: what is lost of it may be lost for as long, and nobody knows. */
  readonly unprovenDays: number;
  /** The longest between two times at which anything was asked of the store or written to it, as far back as all of these are known. */
  readonly silentDays: number;
  /** Bad copies that were replaced within a year. */
  readonly replaced: number;
  /** From the finding until the copy was there again and proven; that of one that is still bad lasts until now. Null where none ever was. */
  readonly replaceDays: { readonly mean: number; readonly longest: number } | null;
  /** Of those that were replaced, and how long it took from the finding of those that were found together until the last of them was. */
  readonly replacedBytes: number;
  readonly replacingSeconds: number;
}

interface Row extends Omit<ProofTimes, "replaceDays"> {
  readonly meanDays: number | null;
  readonly longestDays: number | null;
}

/** By store, for each that is recorded to have a copy of anything. */
export const proofTimes = async (catalog: Catalog): Promise<ProofTimes[]> => {
  const rows = await query<Row>(
    catalog,
    "reading how fast losses were found and put right",
    `WITH copy AS (
       SELECT store, object, bytes, recorded_at, asked_at, challenged_at FROM dbgov.replica WHERE receipt IS NOT NULL
     ), span AS (
       SELECT store, count(*)::int AS copies, min(recorded_at) AS first, min(coalesce(asked_at, recorded_at)) AS known,
         max(extract(epoch FROM now() - greatest(challenged_at, recorded_at)) / 86400)::float8 AS unproven FROM copy GROUP BY store
     ), contact AS (
       SELECT store, at FROM span, LATERAL (VALUES (known), (now())) v (at)
       UNION SELECT store, asked_at FROM copy WHERE asked_at IS NOT NULL UNION SELECT store, recorded_at FROM copy
     ), gap AS (
       SELECT store, at - lag(at) OVER (PARTITION BY store ORDER BY at) AS length
       FROM contact JOIN span USING (store) WHERE at >= known
     ), silence AS (
       SELECT store, max(extract(epoch FROM length) / 86400)::float8 AS days FROM gap GROUP BY store
     ), bad AS (
       SELECT f.store, f.found_at, f.outcome, coalesce(f.ended_at, now()) AS ended, coalesce(c.bytes, 0) AS bytes
       FROM dbgov.copy_finding f LEFT JOIN copy c ON c.store = f.store AND c.object = f.object
       WHERE f.object <> '' AND f.kind IN ('missing', 'changed', 'length') AND f.found_at > now() - interval '1 year'
         AND (f.outcome IS NULL OR f.outcome = 'repaired')
     ), repair AS (
       SELECT store, count(*) FILTER (WHERE outcome IS NOT NULL)::int AS replaced,
         avg(extract(epoch FROM ended - found_at) / 86400)::float8 AS mean, max(extract(epoch FROM ended - found_at) / 86400)::float8 AS longest
       FROM bad GROUP BY store
     ), together AS (
       SELECT store, sum(bytes)::float8 AS bytes, extract(epoch FROM max(ended) - found_at)::float8 AS seconds
       FROM bad WHERE outcome IS NOT NULL GROUP BY store, found_at
     ), rate AS (
       SELECT store, sum(bytes) AS bytes, sum(seconds) AS seconds FROM together GROUP BY store
     )
     SELECT store, copies, (extract(epoch FROM now() - first) / 86400)::float8 AS "recordedDays", unproven AS "unprovenDays", days AS "silentDays",
       coalesce(replaced, 0) AS replaced, mean AS "meanDays", longest AS "longestDays",
       coalesce(rate.bytes, 0) AS "replacedBytes", coalesce(rate.seconds, 0) AS "replacingSeconds"
     FROM span JOIN silence USING (store) LEFT JOIN repair USING (store) LEFT JOIN rate USING (store) ORDER BY store`,
    [],
  );
  return rows.map(({ meanDays, longestDays, ...times }) => ({
    ...times,
    replaceDays: meanDays === null || longestDays === null ? null : { mean: meanDays, longest: longestDays },
  }));
};
