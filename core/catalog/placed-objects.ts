import { type Catalog, query } from "./catalog.ts";

/** An object that live snapshots need, and where it lies. */
export interface PlacedObject {
  readonly key: string;
  /** As the stores that have it say. */
  readonly bytes: number;
  /** Whose snapshots need it. */
  readonly databases: readonly string[];
  /** Stores that are recorded to have it. */
  readonly holders: readonly string[];
  /** A capture that has not committed yet relies on it. */
  readonly claimed: boolean;
}

const columns = (key: string, databases: string, claimed: string, from: string): string => `
  SELECT o.key, o.databases, o.claimed, coalesce(max(r.bytes), 0)::bigint AS bytes,
    coalesce(array_agg(r.store ORDER BY r.store) FILTER (WHERE r.receipt IS NOT NULL), '{}') AS holders
  FROM (SELECT ${key} AS key, ${databases} AS databases, ${claimed} AS claimed FROM ${from}) o LEFT JOIN dbgov.replica r ON r.object = o.key
  GROUP BY o.key, o.databases, o.claimed ORDER BY o.key`;

/** What is only announced there, or was found bad, is written down as well: whoever leaves the store leaves nothing of it behind. */
const heldBy = (key: string): string =>
  `($3::text IS NULL OR EXISTS (SELECT FROM dbgov.replica x WHERE x.object = ${key} AND x.store = $3))`;

/** Of one store everything is listed that it has; of all of them, what is not deleted. */
const wanted = (deleted: string): string => `(${deleted} IS NULL OR $3::text IS NOT NULL)`;

/** What a store that has the manifest needs comes before the manifest, as in every copy. */
const kinds = [
  {
    prefix: "packs/",
    text: columns(
      "dbgov.pack_key(p.id)",
      `ARRAY(SELECT DISTINCT s.database FROM dbgov.range_pack JOIN dbgov.snapshot_range USING (range_no) JOIN dbgov.snapshot s USING (snapshot_no)
         WHERE pack_no = p.pack_no AND s.removed_at IS NULL ORDER BY 1)`,
      "coalesce(p.claimed_until > now(), false)",
      `(SELECT id, pack_no, claimed_until FROM dbgov.pack p WHERE ${wanted("deleted_at")} AND id > decode($1, 'hex') AND ${heldBy("dbgov.pack_key(p.id)")}
         ORDER BY id LIMIT $2) p`,
    ),
  },
  {
    prefix: "ranges/",
    text: columns(
      "dbgov.range_key(g.id)",
      `ARRAY(SELECT DISTINCT s.database FROM dbgov.snapshot_range JOIN dbgov.snapshot s USING (snapshot_no)
         WHERE range_no = g.range_no AND s.removed_at IS NULL ORDER BY 1)`,
      "coalesce(g.claimed_until > now(), false)",
      `(SELECT id, range_no, claimed_until FROM dbgov.range g WHERE ${wanted("deleted_at")} AND id > decode($1, 'hex') AND ${heldBy("dbgov.range_key(g.id)")}
         ORDER BY id LIMIT $2) g`,
    ),
  },
  {
    prefix: "manifests/",
    text: columns(
      "dbgov.manifest_key(m.id)",
      "CASE WHEN m.removed_at IS NULL THEN ARRAY[m.database] ELSE '{}' END",
      "false",
      `(SELECT id, database, removed_at FROM dbgov.snapshot m WHERE ${wanted("removed_at")} AND id > $1 AND ${heldBy("dbgov.manifest_key(m.id)")}
         ORDER BY id LIMIT $2) m`,
    ),
  },
  {
    // What packs of several databases may share: whoever moves it asks whose group it is of.
    prefix: "parity/",
    text: columns(
      "k.object",
      "'{}'::text[]",
      "false",
      `(SELECT object FROM dbgov.replica k WHERE store = $3 AND object LIKE 'parity/%' AND right(object, 64) > $1
         ORDER BY right(object, 64) LIMIT $2) k`,
    ),
  },
  // Copies of the keyring, and bad copies that are kept for examination: nothing has to be moved for them.
  ...(["envelopes/", "quarantine/"] as const).map((prefix) => ({
    prefix,
    text: columns(
      "e.object",
      "'{}'::text[]",
      "false",
      `(SELECT object FROM dbgov.replica e WHERE store = $3 AND object LIKE '${prefix}%' AND object > '${prefix}' || $1
         ORDER BY object LIMIT $2) e`,
    ),
  })),
] as const;

/**
 * The next objects after a cursor (the empty one first), packs before ranges before manifests. Where a `holder` is named, all that is written down of it and
 * nothing else, parity, envelopes and what is in quarantine at the end. `next` is null when there are no more. What no live snapshot needs has no databases.
 */
export const pagePlacedObjects = async (
  catalog: Catalog,
  { after, limit, holder }: { readonly after: string; readonly limit: number; readonly holder: string | null },
): Promise<{ objects: PlacedObject[]; next: string | null }> => {
  const at = Math.max(
    0,
    kinds.findIndex(({ prefix }) => after.startsWith(prefix)),
  );
  const { text, prefix } = kinds[at]!;
  // An object in quarantine is named by a whole key, and others by an id behind what it begins with.
  const cursor = prefix === "quarantine/" ? after.slice(prefix.length) : after.slice(after.lastIndexOf("/") + 1);
  const objects = await query<PlacedObject>(catalog, "listing objects and where they lie", text, [cursor, limit, holder]);
  const last = objects.at(-1)?.key;
  if (last !== undefined && objects.length === limit) return { objects, next: last };
  return { objects, next: kinds[at + 1]?.prefix ?? null };
};

/** Everything that live snapshots need, and where it lies, in no particular order: one question, whatever the number of snapshots that share a range. */
export const livePlacedObjects = (catalog: Catalog): Promise<Omit<PlacedObject, "claimed">[]> =>
  query(
    catalog,
    "listing what live snapshots need",
    `WITH of_range AS (
       SELECT range_no, array_agg(DISTINCT s.database) AS databases FROM dbgov.snapshot_range JOIN dbgov.snapshot s USING (snapshot_no)
       WHERE s.removed_at IS NULL GROUP BY range_no
     ), of_pack AS (
       SELECT pack_no, array_agg(DISTINCT database) AS databases FROM of_range JOIN dbgov.range_pack USING (range_no), unnest(databases) AS database
       GROUP BY pack_no
     ), needed AS (
       SELECT dbgov.pack_key(p.id) AS key, databases FROM of_pack JOIN dbgov.pack p USING (pack_no)
       UNION ALL
       SELECT dbgov.range_key(r.id), databases FROM of_range JOIN dbgov.range r USING (range_no)
       UNION ALL
       SELECT dbgov.manifest_key(id), ARRAY[database] FROM dbgov.snapshot WHERE removed_at IS NULL
     ), held AS (
       SELECT object, max(bytes)::bigint AS bytes, array_agg(store) FILTER (WHERE receipt IS NOT NULL) AS holders FROM dbgov.replica GROUP BY object
     )
     SELECT n.key, n.databases, coalesce(h.bytes, 0) AS bytes, coalesce(h.holders, '{}') AS holders FROM needed n LEFT JOIN held h ON h.object = n.key`,
  );
