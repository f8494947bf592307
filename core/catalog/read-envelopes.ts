import type { Envelope } from "../repository/envelopes.ts";
import { type Catalog, query } from "./catalog.ts";

// PostgreSQL breaks base64 into lines.
const columns = `version, kind, object, recipient, translate(encode(kem, 'base64'), E'\\n', '') AS kem,
  translate(encode(wrapped, 'base64'), E'\\n', '') AS wrapped`;

/** The envelopes of one range (by its id) or manifest (by its snapshot's id); none when they were destroyed. */
export const envelopesOf = (catalog: Catalog, object: string): Promise<Envelope[]> =>
  query(catalog, `reading the envelopes of ${object}`, `SELECT ${columns} FROM dbgov.envelope WHERE object = $1 ORDER BY recipient`, [
    object,
  ]);

/** The envelopes of many ranges and manifests, by object, in as few questions as fit into memory; an empty list where there are none. */
export const envelopesOfEach = async (catalog: Catalog, objects: readonly string[]): Promise<Record<string, readonly Envelope[]>> => {
  const found: Record<string, Envelope[]> = Object.fromEntries(objects.map((object) => [object, []]));
  for (let first = 0; first < objects.length; first += atOnce) {
    const page = await query<Envelope>(
      catalog,
      `reading the envelopes of ${objects.length} objects`,
      `SELECT ${columns} FROM dbgov.envelope WHERE object = ANY ($1::text[]) ORDER BY object, recipient`,
      [objects.slice(first, first + atOnce)],
    );
    for (const envelope of page) found[envelope.object]?.push(envelope);
  }
  return found;
};

const atOnce = 1_000;

/** Those of the objects that each of these recipients (by their key ids) has an envelope of. */
export const openableBy = async (catalog: Catalog, objects: readonly string[], recipients: readonly string[]): Promise<string[]> => {
  const rows = await query<{ object: string }>(
    catalog,
    "looking for the recipients' envelopes",
    `SELECT object FROM dbgov.envelope WHERE object = ANY ($1::text[]) AND recipient = ANY ($2::text[])
     GROUP BY object HAVING count(DISTINCT recipient) = $3`,
    [objects, recipients, new Set(recipients).size],
  );
  return rows.map(({ object }) => object);
};

/** Which databases have snapshots, and so envelopes. */
export const databasesWithEnvelopes = async (catalog: Catalog): Promise<string[]> => {
  const rows = await query<{ database: string }>(
    catalog,
    "listing the databases with snapshots",
    'SELECT DISTINCT database COLLATE "C" AS database FROM dbgov.live_snapshot ORDER BY 1',
  );
  return rows.map(({ database }) => database);
};

/** The keyring of one database: what its snapshots need, in pages, ordered by object and recipient. */
export async function* envelopesOfDatabase(catalog: Catalog, database: string): AsyncIterable<Envelope> {
  const wanted = await query<{ object: string }>(
    catalog,
    `listing what the snapshots of ${database} need`,
    `SELECT s.id COLLATE "C" AS object FROM dbgov.live_snapshot s WHERE s.database = $1
     UNION SELECT encode(r.id, 'hex') FROM dbgov.live_snapshot s JOIN dbgov.snapshot_range USING (snapshot_no) JOIN dbgov.range r USING (range_no)
       WHERE s.database = $1
     ORDER BY 1`,
    [database],
  );
  for (let first = 0; first < wanted.length; first += atOnce) {
    yield* await query<Envelope>(
      catalog,
      `reading the envelopes of ${database}`,
      `SELECT ${columns} FROM dbgov.envelope WHERE object = ANY ($1::text[]) ORDER BY object, recipient`,
      [wanted.slice(first, first + atOnce).map(({ object }) => object)],
    );
  }
}
