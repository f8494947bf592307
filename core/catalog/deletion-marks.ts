import { type Catalog, query } from "./catalog.ts";

/** A marking that the log does not tell yet: that a snapshot is to go, or that it stays after all. */
export interface UnloggedMark {
  readonly snapshot: string;
  readonly manifestHash: string;
  readonly dueAt: string;
  /** Null: it was undone. */
  readonly reason: "retention" | "request" | null;
}

/** How the log's entries about a marking are named: the time tells a second marking of the same snapshot from the first. */
export const markIdentity = (kind: "deletion-scheduled" | "deletion-undone", snapshot: string, dueAt: string): string =>
  `${kind}/${snapshot}/${dueAt}`;

/**
 * Markings of the database's snapshots compared with what was logged of them, so that nothing is left out by a step that broke off.
 * A snapshot that was removed was not kept.
 */
export const unloggedMarks = async (catalog: Catalog, database: string): Promise<UnloggedMark[]> => {
  const during = `comparing the marks of ${database} with the log`;
  const marked = await query<UnloggedMark>(
    catalog,
    during,
    `SELECT s.id AS snapshot, encode(s.manifest_hash, 'hex') AS "manifestHash", p.due_at AS "dueAt", p.reason
     FROM dbgov.pending_deletion p JOIN dbgov.snapshot s USING (snapshot_no) WHERE s.database = $1 ORDER BY s.id`,
    [database],
  );
  const told = await query<{ identity: string }>(
    catalog,
    during,
    "SELECT identity FROM dbgov.log_entry WHERE database = $1 AND kind IN ('deletion-scheduled', 'deletion-undone') ORDER BY log_index",
    [database],
  );
  const logged = new Set(told.map(({ identity }) => identity));
  const standing = new Set(marked.map(({ snapshot, dueAt }) => markIdentity("deletion-scheduled", snapshot, dueAt)));
  const over = [...logged].flatMap((identity) => {
    const [kind, snapshot = "", dueAt = ""] = identity.split("/");
    const undone =
      kind === "deletion-scheduled" && !standing.has(identity) && !logged.has(markIdentity("deletion-undone", snapshot, dueAt));
    return undone ? [{ snapshot, dueAt }] : [];
  });
  const living = await query<{ id: string; hash: string }>(
    catalog,
    during,
    "SELECT id, encode(manifest_hash, 'hex') AS hash FROM dbgov.snapshot WHERE id = ANY ($1::text[]) AND removed_at IS NULL",
    [over.map(({ snapshot }) => snapshot)],
  );
  const hashOf = new Map(living.map(({ id, hash }) => [id, hash]));
  const undone = over.flatMap(({ snapshot, dueAt }): UnloggedMark[] => {
    const manifestHash = hashOf.get(snapshot);
    return manifestHash === undefined ? [] : [{ snapshot, manifestHash, dueAt, reason: null }];
  });
  return [...marked.filter(({ snapshot, dueAt }) => !logged.has(markIdentity("deletion-scheduled", snapshot, dueAt))), ...undone];
};
