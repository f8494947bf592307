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

/** The whole keyring, in pages, ordered by object and recipient. */
export async function* allEnvelopes(catalog: Catalog): AsyncIterable<Envelope> {
  let last: readonly [string, string] = ["", ""];
  for (;;) {
    const page = await query<Envelope>(
      catalog,
      "reading the keyring",
      `SELECT ${columns} FROM dbgov.envelope WHERE (object, recipient) > ($1, $2) ORDER BY object, recipient LIMIT 500`,
      last,
    );
    yield* page;
    const end = page.at(-1);
    if (end === undefined) return;
    last = [end.object, end.recipient];
  }
}
