import type { FindingKind } from "../domain/store-trust.ts";
import { type Catalog, query } from "./catalog.ts";
import type { Instant } from "./records.ts";

export interface CopyFinding {
  readonly store: string;
  /** Empty where it is about the store as a whole. */
  readonly object: string;
  readonly kind: FindingKind;
  /** One sentence. */
  readonly message: string;
}

export interface RecordedFinding extends CopyFinding {
  readonly foundAt: string;
  readonly seenAt: string;
  /** Null while it stands. */
  readonly endedAt: string | null;
  readonly outcome: "repaired" | "proven" | "deleted" | null;
  readonly repairedFrom: string | null;
}

/** Something is wrong with a copy or a store. One that stands already is only seen again. */
export const recordFindings = async (catalog: Catalog, findings: readonly CopyFinding[], at: Instant): Promise<void> => {
  if (findings.length === 0) return;
  const byName = new Map(findings.map((finding) => [`${finding.store} ${finding.object} ${finding.kind}`, finding]));
  const sorted = [...byName].sort().map(([, finding]) => finding);
  await query(
    catalog,
    `recording ${sorted.length} findings`,
    `INSERT INTO dbgov.copy_finding (store, object, kind, message, found_at, seen_at)
     SELECT store, object, kind, message, $5, $5 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS f (store, object, kind, message)
     ON CONFLICT (store, object, kind) WHERE ended_at IS NULL DO UPDATE SET message = excluded.message, seen_at = excluded.seen_at`,
    [sorted.map((f) => f.store), sorted.map((f) => f.object), sorted.map((f) => f.kind), sorted.map((f) => f.message), at],
  );
};

/** What was found wrong with a copy is put right. */
export const endFindings = async (
  catalog: Catalog,
  { store, object }: Pick<CopyFinding, "store" | "object">,
  repairedFrom: string | null = null,
): Promise<void> => {
  await query(
    catalog,
    `ending the findings of ${object} in ${store}`,
    `UPDATE dbgov.copy_finding SET ended_at = now(), outcome = 'repaired', repaired_from = $3
     WHERE store = $1 AND object = $2 AND ended_at IS NULL`,
    [store, object, repairedFrom],
  );
};

/** A store as a whole is well again, as far as these kinds go. */
export const endStoreFindings = async (catalog: Catalog, store: string, kinds: readonly FindingKind[]): Promise<void> => {
  await query(
    catalog,
    `ending the findings of ${store}`,
    `UPDATE dbgov.copy_finding SET ended_at = now(), outcome = 'proven'
     WHERE store = $1 AND object = '' AND kind = ANY ($2::text[]) AND ended_at IS NULL`,
    [store, kinds],
  );
};

export interface FindingQuery {
  readonly store?: string | undefined;
  /** Also those that have ended since then. */
  readonly endedSince?: Instant | undefined;
  readonly limit: number;
}

/** Findings that stand, or ended since then; the latest first. */
export const listFindings = (catalog: Catalog, { store, endedSince, limit }: FindingQuery): Promise<RecordedFinding[]> =>
  query(
    catalog,
    "listing findings",
    `SELECT store, object, kind, message, found_at AS "foundAt", seen_at AS "seenAt", ended_at AS "endedAt", outcome,
       repaired_from AS "repairedFrom" FROM dbgov.copy_finding
     WHERE (ended_at IS NULL OR ended_at >= $2) AND ($1::text IS NULL OR store = $1) ORDER BY found_at DESC, finding_no DESC LIMIT $3`,
    [store ?? null, endedSince ?? "infinity", limit],
  );

/** By store and kind, how many findings stand. */
export const standingFindings = (catalog: Catalog): Promise<{ store: string; kind: FindingKind; standing: number; message: string }[]> =>
  query(
    catalog,
    "counting findings",
    `SELECT store, kind, count(*) AS standing, max(message) AS message FROM dbgov.copy_finding WHERE ended_at IS NULL
     GROUP BY store, kind ORDER BY store, kind`,
  );
