import { Failure } from "../domain/failure.ts";
import type { RetentionRules } from "../domain/retention-rules.ts";
import { type Catalog, type Queryable, query, run, transaction } from "./catalog.ts";
import { putInForce } from "./in-force.ts";
import { lockReferences } from "./locks.ts";
import type { Instant } from "./records.ts";

export interface ApprovalUse {
  /** SHA-256 of the request that both have signed. */
  readonly request: string;
  readonly act: string;
  readonly requestedBy: string;
  readonly approvedBy: string;
  readonly at: Instant;
}

/** Does what two persons agreed on, once: called again with the same request it does nothing and answers as the first time. */
export const useApproval = async <T>(catalog: Catalog, use: ApprovalUse, effect: (db: Queryable) => Promise<T>): Promise<T> =>
  await transaction(catalog, `doing what request ${use.request} asks for`, async (db) => {
    await lockReferences(db, "alone");
    const [before] = await run<{ result: T }>(db, "SELECT result FROM dbgov.approval WHERE request = $1", [use.request]);
    if (before !== undefined) return before.result;
    const result = await effect(db);
    await run(db, "INSERT INTO dbgov.approval (request, act, requested_by, approved_by, used_at, result) VALUES ($1, $2, $3, $4, $5, $6)", [
      use.request,
      use.act,
      use.requestedBy,
      use.approvedBy,
      use.at,
      JSON.stringify(result),
    ]);
    return result;
  });

/** What came of the request when it was done; undefined while it was not. */
export const doneBefore = async <T>(catalog: Catalog, request: string): Promise<T | undefined> =>
  (await query<{ result: T }>(catalog, "looking for an approval", "SELECT result FROM dbgov.approval WHERE request = $1", [request]))[0]
    ?.result;

/** Every snapshot of the database that nothing holds goes once it is due; what retention marked keeps its time. Returns how many are marked. */
export const markAll = async (db: Queryable, database: string, at: Instant, dueAt: Instant): Promise<number> => {
  const rows = await run(
    db,
    `INSERT INTO dbgov.pending_deletion (snapshot_no, marked_at, due_at, reason)
     SELECT snapshot_no, $2, $3, 'request' FROM dbgov.live_snapshot WHERE database = $1 AND NOT held ORDER BY snapshot_no
     ON CONFLICT (snapshot_no) DO UPDATE SET reason = 'request' RETURNING snapshot_no`,
    [database, at, dueAt],
  );
  return rows.length;
};

/** Replaces the rules in force, provided that they still are what the request says. `ApprovalRefused` when they are not. */
export const replaceRules = async (
  db: Queryable,
  subject: string,
  rules: { readonly before: RetentionRules; readonly after: RetentionRules },
  at: Instant,
): Promise<void> => {
  const [standing] = await run<{ same: boolean }>(
    db,
    "SELECT content = $2::jsonb AS same FROM dbgov.in_force WHERE subject = $1 FOR UPDATE",
    [subject, JSON.stringify(rules.before)],
  );
  if (standing?.same !== true) throw new Failure("ApprovalRefused", `what is in force for ${subject} is no longer what the request says`);
  await putInForce(db, subject, rules.after, at);
};
