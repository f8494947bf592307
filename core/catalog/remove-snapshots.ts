import { Failure } from "../domain/failure.ts";
import { type Catalog, type Queryable, run, transaction } from "./catalog.ts";
import { condemnPacks, condemnRanges } from "./condemn.ts";
import { deleteEnvelopes } from "./destroy-envelopes.ts";
import { lockReferences } from "./locks.ts";
import type { Instant, Reclaimed } from "./records.ts";

/**
 * Ends the life of snapshots: their rows stay as tombstones, the envelopes of their manifests and of ranges that no live
 * snapshot needs are destroyed, and packs and ranges that nobody needs are condemned. All or nothing. Refuses with
 * `SnapshotUnknown`, with `HoldStands`, and with `RetentionRefused` unless each was marked and is due, and a newer verified snapshot of
 * the same database stays (which it need not where two persons asked for all of it to go). Called again with the same ids, it changes nothing and answers the same.
 */
export const removeSnapshots = async (catalog: Catalog, ids: readonly string[], at: Instant): Promise<Reclaimed> =>
  await transaction(catalog, "removing snapshots", async (db) => {
    await lockReferences(db, "alone");
    const fresh = await livingOf(db, ids, at);
    if (fresh.length > 0) await remove(db, fresh, at);
    return await removalOf(db, ids);
  });

const livingOf = async (db: Queryable, ids: readonly string[], at: Instant): Promise<string[]> => {
  const rows = await run<{ id: string; known: boolean; removed: boolean; held: boolean; due: boolean; followed: boolean }>(
    db,
    `SELECT wanted.id, s.id IS NOT NULL AS known, s.removed_at IS NOT NULL AS removed, coalesce(l.held, false) AS held,
       coalesce(p.due_at <= $2, false) AS due, p.reason = 'request' OR EXISTS (
         SELECT FROM dbgov.snapshot n JOIN dbgov.snapshot_state x USING (snapshot_no)
         WHERE n.database = s.database AND n.captured_at > s.captured_at AND n.removed_at IS NULL AND x.state = 'verified'
           AND n.id <> ALL ($1::text[])
       ) AS followed
     FROM (SELECT DISTINCT unnest($1::text[]) COLLATE "C" AS id) wanted
     LEFT JOIN dbgov.snapshot s USING (id) LEFT JOIN dbgov.live_snapshot l USING (snapshot_no)
     LEFT JOIN dbgov.pending_deletion p USING (snapshot_no)
     ORDER BY wanted.id`,
    [ids, at],
  );
  for (const { id, known, removed, held, due, followed } of rows) {
    if (!known) throw new Failure("SnapshotUnknown", `snapshot ${id} is not in the catalog`);
    if (removed) continue;
    if (held) throw new Failure("HoldStands", `snapshot ${id} is under a legal hold and is not removed`);
    if (!due) throw new Failure("RetentionRefused", `snapshot ${id} is not removed: it was not marked, or can still be kept`);
    if (!followed)
      throw new Failure("RetentionRefused", `snapshot ${id} is not removed: no newer snapshot of its database that stays is verified`);
  }
  return rows.filter((row) => !row.removed).map((row) => row.id);
};

const remove = async (db: Queryable, ids: readonly string[], at: Instant): Promise<void> => {
  const [removal] = await run<{ removal_no: number }>(db, "INSERT INTO dbgov.removal (at, result) VALUES ($1, '{}') RETURNING removal_no", [
    at,
  ]);
  const marks = await run<{ id: string; reason: string }>(
    db,
    `DELETE FROM dbgov.pending_deletion p USING dbgov.snapshot s
     WHERE s.id = ANY ($1::text[]) AND p.snapshot_no = s.snapshot_no RETURNING s.id, p.reason`,
    [ids],
  );
  await run(db, "UPDATE dbgov.snapshot SET removed_at = $2, removal_no = $3 WHERE id = ANY ($1::text[])", [ids, at, removal!.removal_no]);
  const released = await run<{ range_no: number }>(
    db,
    `DELETE FROM dbgov.snapshot_range x USING dbgov.snapshot s
     WHERE s.id = ANY ($1::text[]) AND x.snapshot_no = s.snapshot_no RETURNING x.range_no`,
    [ids],
  );
  const { ranges, packNumbers } = await condemnRanges(db, at, [...new Set(released.map((row) => row.range_no))]);
  const packs = await condemnPacks(db, at, packNumbers);
  const envelopes = await deleteEnvelopes(db, [...ids, ...ranges]);
  const result: Reclaimed = { snapshots: [...ids], envelopes, ranges, packs };
  // For the log, should this run break off before the log has it.
  const requested = marks.flatMap(({ id, reason }) => (reason === "request" ? [id] : []));
  const told = JSON.stringify({ ...result, requested });
  await run(db, "UPDATE dbgov.removal SET result = $2 WHERE removal_no = $1", [removal!.removal_no, told]);
};

/** What the removals that these snapshots were part of did. */
const removalOf = async (db: Queryable, ids: readonly string[]): Promise<Reclaimed> => {
  const rows = await run<{ result: Reclaimed }>(
    db,
    `SELECT result FROM dbgov.removal WHERE removal_no IN (SELECT removal_no FROM dbgov.snapshot WHERE id = ANY ($1::text[])) ORDER BY removal_no`,
    [ids],
  );
  const all = (part: keyof Reclaimed) => rows.flatMap((row) => row.result[part]);
  return { snapshots: all("snapshots"), envelopes: all("envelopes"), ranges: all("ranges"), packs: all("packs") };
};
