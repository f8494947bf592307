import type { Document } from "mongodb";
import type { Connection } from "./connection.ts";
import { elementOf, typedDocument } from "./ordered-bson.ts";

/** One entry of the database's own catalog. */
export interface CatalogEntry {
  readonly name: string;
  readonly type: "collection" | "view" | "timeseries";
  /** The collection's identity, as hex; undefined for views. The same name with another identity is another collection. */
  readonly uuid: string | undefined;
  /** The bytes of the `options` document, as the server keeps them. */
  readonly options: Uint8Array;
}

const emptyDocument = Uint8Array.of(5, 0, 0, 0, 0);

/** Collections and views, sorted by name, the server's own ones included; only the one of that name when `name` is given. */
export async function listCatalog(connection: Connection, name?: string): Promise<CatalogEntry[]> {
  const command = { listCollections: 1, ...(name === undefined ? {} : { filter: { name } }) };
  const entries = (await rawDocuments(connection, command)).map(entryOf);
  return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** The bytes of each index of a collection, without the one on `_id` that every collection has and those that come with its creation. */
export async function listIndexes(connection: Connection, collection: string): Promise<Uint8Array[]> {
  const indexes = await rawDocuments(connection, { listIndexes: collection });
  return indexes.filter((bytes) => {
    const { name, clustered } = typedDocument(bytes);
    return name !== "_id_" && clustered !== true;
  });
}

async function rawDocuments(connection: Connection, command: Document): Promise<Uint8Array[]> {
  return (await connection.db.runCursorCommand(command, { raw: true }).toArray()) as unknown as Uint8Array[];
}

function entryOf(bytes: Uint8Array): CatalogEntry {
  const { name, type, info } = typedDocument(bytes);
  return {
    name: String(name),
    type: type === "view" || type === "timeseries" ? type : "collection",
    uuid: uuidText(info?.uuid),
    options: elementOf(bytes, "options") ?? emptyDocument,
  };
}

const uuidText = (uuid: unknown): string | undefined =>
  typeof uuid === "object" && uuid !== null && "buffer" in uuid ? Buffer.from(uuid.buffer as Uint8Array).toString("hex") : undefined;

/**
 * What part an entry has in a backup. Time-series collections keep their data in `system.buckets.NAME`, which is read
 * and written in their place, so that buckets come back bit for bit; where a server does not list the buckets, the
 * measurements themselves are read. `system.js` is users' data; everything else of `system.` is the server's.
 */
export function roleOf(entry: CatalogEntry, all: readonly CatalogEntry[]): "rows" | "definition" | "buckets" | "ignored" {
  if (entry.type === "view") return "definition";
  if (entry.type === "timeseries") return all.some(({ name }) => name === bucketsOf(entry.name)) ? "definition" : "rows";
  if (entry.name.startsWith("system.buckets."))
    return all.some((other) => other.type === "timeseries" && bucketsOf(other.name) === entry.name) ? "buckets" : "ignored";
  if (entry.name.startsWith("system.")) return entry.name === "system.js" ? "rows" : "ignored";
  return "rows";
}

const bucketsOf = (timeseries: string): string => `system.buckets.${timeseries}`;
