import type { ParityGroup, ParityMember } from "../repository/parity.ts";
import { type Catalog, query, run, transaction } from "./catalog.ts";

/** Of a piece `k`. */
const pieceKey = "'parity/' || left(encode(k.id, 'hex'), 2) || '/' || encode(k.id, 'hex')";

/** Up to `limit` packs that live snapshots of these databases need, that some store has, and that share no parity yet; the oldest first. */
export const packsWithoutParity = (catalog: Catalog, databases: readonly string[], limit: number): Promise<ParityMember[]> =>
  query(
    catalog,
    "looking for packs without parity",
    `SELECT encode(p.id, 'hex') AS id, p.bytes FROM dbgov.pack p
     WHERE p.written_at IS NOT NULL AND p.condemned_at IS NULL AND p.bytes > 0
       AND NOT EXISTS (SELECT FROM dbgov.parity_member m WHERE m.pack_no = p.pack_no)
       AND EXISTS (SELECT FROM dbgov.replica r WHERE r.object = dbgov.pack_key(p.id) AND r.receipt IS NOT NULL)
       AND EXISTS (
         SELECT FROM dbgov.range_pack y JOIN dbgov.snapshot_range USING (range_no) JOIN dbgov.snapshot s USING (snapshot_no)
         WHERE y.pack_no = p.pack_no AND s.removed_at IS NULL AND s.database = ANY ($1::text[]))
     ORDER BY p.pack_no LIMIT $2`,
    [databases, limit],
  );

/** Packs share parity from here on; its pieces are stored. `ids` are those of the pieces, in order. */
export const recordParity = async (catalog: Catalog, policy: string, { packs }: ParityGroup, ids: readonly string[]): Promise<void> =>
  await transaction(catalog, "recording parity", async (db) => {
    const [group] = await run<{ group_no: number }>(db, "INSERT INTO dbgov.parity_group (policy) VALUES ($1) RETURNING group_no", [policy]);
    await run(
      db,
      `INSERT INTO dbgov.parity_member (group_no, position, pack_no)
       SELECT $1, m.position - 1, p.pack_no FROM unnest($2::text[]) WITH ORDINALITY AS m (id, position)
       JOIN dbgov.pack p ON p.id = decode(m.id, 'hex')`,
      [group?.group_no, packs.map(({ id }) => id)],
    );
    await run(
      db,
      `INSERT INTO dbgov.parity_piece (group_no, piece, id)
       SELECT $1, k.piece - 1, decode(k.id, 'hex') FROM unnest($2::text[]) WITH ORDINALITY AS k (id, piece)`,
      [group?.group_no, ids],
    );
  });

/** The group that a pack is in, and the ids of its pieces, in order; undefined where it is in none. */
export const parityOf = async (
  catalog: Catalog,
  pack: string,
): Promise<(ParityGroup & { readonly ids: readonly string[] }) | undefined> => {
  const [group] = await query<{ packs: ParityMember[]; ids: string[] }>(
    catalog,
    `looking for parity of pack ${pack}`,
    `SELECT
       (SELECT json_agg(json_build_object('id', encode(p.id, 'hex'), 'bytes', p.bytes) ORDER BY m.position)
        FROM dbgov.parity_member m JOIN dbgov.pack p USING (pack_no) WHERE m.group_no = g.group_no) AS packs,
       (SELECT array_agg(encode(k.id, 'hex') ORDER BY k.piece) FROM dbgov.parity_piece k WHERE k.group_no = g.group_no) AS ids
     FROM dbgov.parity_member g JOIN dbgov.pack q USING (pack_no) WHERE q.id = decode($1, 'hex')`,
    [pack],
  );
  return group === undefined ? undefined : { ...group, pieces: group.ids.length };
};

/**
 * Forgets groups that can no longer do what they are for: one of whose packs is deleted, a piece of which no store has any more, or whose policy
 * asks for none. Their packs get new parity, their pieces are in the way. Returns how many.
 */
export const dissolveParity = async (catalog: Catalog, policies: readonly string[]): Promise<number> => {
  const rows = await query(
    catalog,
    "dissolving parity",
    `DELETE FROM dbgov.parity_group g WHERE g.policy <> ALL ($1::text[])
       OR EXISTS (SELECT FROM dbgov.parity_member m JOIN dbgov.pack p USING (pack_no) WHERE m.group_no = g.group_no AND p.deleted_at IS NOT NULL)
       OR EXISTS (
         SELECT FROM dbgov.parity_piece k WHERE k.group_no = g.group_no AND NOT EXISTS (
           SELECT FROM dbgov.replica r WHERE r.object = ${pieceKey} AND r.receipt IS NOT NULL))
     RETURNING 1`,
    [policies],
  );
  return rows.length;
};

/** Of these pieces those that belong to a group: its policy, and the stores that have its other pieces. */
export const groupsOfPieces = (
  catalog: Catalog,
  ids: readonly string[],
): Promise<{ id: string; group: number; policy: string; beside: readonly string[] }[]> =>
  query(
    catalog,
    "looking whose parity pieces are",
    `SELECT encode(w.id, 'hex') AS id, g.group_no AS "group", g.policy, ARRAY(
       SELECT DISTINCT r.store FROM dbgov.parity_piece k JOIN dbgov.replica r ON r.object = ${pieceKey} AND r.receipt IS NOT NULL
       WHERE k.group_no = g.group_no AND k.id <> w.id ORDER BY 1) AS beside
     FROM dbgov.parity_piece w JOIN dbgov.parity_group g USING (group_no)
     WHERE w.id IN (SELECT decode(hex, 'hex') FROM unnest($1::text[]) AS hex)`,
    [ids],
  );

/** Pieces in stores that belong to no group: of dissolved ones, and of a run that ended early at least a day ago. At most `limit`. */
export const strayParity = (catalog: Catalog, stores: readonly string[], limit: number): Promise<{ object: string; store: string }[]> =>
  query(
    catalog,
    "looking for parity of nothing",
    `SELECT r.object, r.store FROM dbgov.replica r
     WHERE r.object LIKE 'parity/%' AND r.store = ANY ($1::text[]) AND r.recorded_at < now() - interval '1 day'
       AND NOT EXISTS (SELECT FROM dbgov.parity_piece k WHERE k.id = decode(right(r.object, 64), 'hex'))
     ORDER BY r.object, r.store LIMIT $2`,
    [stores, limit],
  );

/** Whether there is any parity, be it of groups that are dissolved. */
export const hasParity = async (catalog: Catalog): Promise<boolean> => {
  const [row] = await query<{ any: boolean }>(
    catalog,
    "looking for parity",
    "SELECT EXISTS (SELECT FROM dbgov.parity_group) OR EXISTS (SELECT FROM dbgov.replica WHERE object LIKE 'parity/%') AS any",
  );
  return row?.any === true;
};
