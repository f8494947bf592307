import type { FindingKind } from "../domain/store-trust.ts";
import { type Catalog, query, run, transaction } from "./catalog.ts";
import type { Instant } from "./records.ts";

export interface ChallengeOutcome {
  readonly object: string;
  /** Whether everything that was asked for was right; false also where nothing could be said. */
  readonly right: boolean;
  /** It cannot be read, and is there as far as that shows. */
  readonly present?: boolean;
}

/** Copies in a store were challenged at `at`: how that came out, and with it what stood against those that are right. */
export const recordChallenges = async (
  catalog: Catalog,
  store: string,
  outcomes: readonly ChallengeOutcome[],
  at: Instant,
): Promise<void> => {
  if (outcomes.length === 0) return;
  // Sorted, so that two calls never wait for each other.
  const sorted = [...outcomes].sort((a, b) => (a.object < b.object ? -1 : 1));
  await transaction(catalog, `recording ${outcomes.length} challenges of ${store}`, async (db) => {
    await run(
      db,
      `UPDATE dbgov.replica r SET asked_at = $4,
         proven_at = CASE WHEN c.was_right AND r.receipt IS NOT NULL THEN greatest(r.proven_at, $4) ELSE r.proven_at END,
         challenged_at = CASE WHEN c.was_right AND r.receipt IS NOT NULL THEN $4 ELSE r.challenged_at END,
         present_at = CASE WHEN c.was_present AND r.receipt IS NOT NULL THEN $4 ELSE r.present_at END
       FROM unnest($2::text[], $3::boolean[], $5::boolean[]) AS c (object, was_right, was_present) WHERE r.object = c.object AND r.store = $1`,
      [store, sorted.map(({ object }) => object), sorted.map(({ right }) => right), at, sorted.map(({ present }) => present === true)],
    );
    await run(
      db,
      `UPDATE dbgov.copy_finding SET ended_at = $3, outcome = 'proven'
       WHERE store = $1 AND object = ANY ($2::text[]) AND ended_at IS NULL AND found_at < $3`,
      [store, sorted.filter(({ right }) => right).map(({ object }) => object), at],
    );
  });
};

/** Counts answers of a store for or against it. */
export const recordEvidence = async (
  catalog: Catalog,
  store: string,
  answers: ReadonlyMap<FindingKind | "proven", number>,
): Promise<void> => {
  const kinds = [...answers].filter(([, count]) => count > 0).sort();
  if (kinds.length === 0) return;
  await query(
    catalog,
    `recording the answers of ${store}`,
    `INSERT INTO dbgov.store_evidence (store, day, kind, answers)
     SELECT $1, (now() AT TIME ZONE 'UTC')::date, kind, answers FROM unnest($2::text[], $3::bigint[]) AS k (kind, answers)
     ON CONFLICT (store, day, kind) DO UPDATE SET answers = store_evidence.answers + excluded.answers`,
    [store, kinds.map(([kind]) => kind), kinds.map(([, count]) => count)],
  );
};
