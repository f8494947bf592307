import { type Catalog, query } from "./catalog.ts";
import type { Instant } from "./records.ts";

/** Requests that were counted and are to be logged as one entry. */
export interface AccessSummary {
  readonly day: string;
  readonly summary: string;
  readonly counts: readonly { readonly token: string; readonly route: string; readonly requests: number }[];
}

/**
 * Closes what was counted so far, of the days before `before` (a date, exclusive; all days without it), under the name `summary`: what is
 * asked later is counted anew. Returns every summary that is closed and not logged, also those that an earlier process left.
 */
export const closeAccessSummaries = async (catalog: Catalog, summary: string, before?: string): Promise<AccessSummary[]> => {
  await query(
    catalog,
    "closing the summary of what auditors asked",
    "UPDATE dbgov.audit_access SET summary = $1 WHERE summary = '' AND ($2::date IS NULL OR day < $2)",
    [summary, before ?? null],
  );
  return await query<AccessSummary>(
    catalog,
    "reading what auditors asked",
    `SELECT day::text AS day, summary,
       json_agg(json_build_object('token', token, 'route', route, 'requests', requests) ORDER BY token, route) AS counts
     FROM dbgov.audit_access WHERE summary <> '' AND logged_at IS NULL GROUP BY day, summary ORDER BY day, summary`,
  );
};

export const markAccessLogged = async (catalog: Catalog, { day, summary }: AccessSummary, at: Instant): Promise<void> => {
  await query(
    catalog,
    "noting that a summary of what auditors asked is logged",
    "UPDATE dbgov.audit_access SET logged_at = $3 WHERE day = $1 AND summary = $2 AND logged_at IS NULL",
    [day, summary, at],
  );
};
