import { BSON, type Document } from "mongodb";
import { Failure } from "../../domain/failure.ts";
import type { Definition as StreamContent } from "../engine.ts";
import type { CatalogEntry } from "./catalog.ts";
import { orderedDocument, typedDocument } from "./ordered-bson.ts";

/** What it takes to create one collection or view again. `options` and `indexes` keep every number's type; nested documents may be Maps. */
export interface Definition {
  readonly name: string;
  readonly type: CatalogEntry["type"];
  readonly options: Document;
  readonly indexes: readonly Document[];
}

interface Written {
  readonly name: string;
  readonly type: CatalogEntry["type"];
  readonly options: Document;
  readonly indexes: readonly Document[];
  /** Base64 of the server's bytes, instead of the above where JSON cannot carry them, as when keys like "10" stand in an order of their own. */
  readonly exact?: { readonly options: string; readonly indexes: readonly string[] };
}

/** The name of the definitions' stream; no collection can have it, since the server allows no `$` there. */
export const definitionsStream = "$collections";

const ejson = { relaxed: false } as const;

/** The content of the definitions stream: canonical Extended JSON (version 2), one entry a line, sorted by name as given. */
export function writeDefinitions(
  entries: readonly { readonly entry: CatalogEntry; readonly indexes: readonly Uint8Array[] }[],
): Uint8Array {
  const lines = entries.map(({ entry, indexes }) => {
    const { name, type } = entry;
    const text = BSON.EJSON.stringify({ name, type, options: typedDocument(entry.options), indexes: indexes.map(typedDocument) }, ejson);
    if (carries(text, entry.options, indexes)) return text;
    const exact = { options: base64(entry.options), indexes: indexes.map(base64) };
    return BSON.EJSON.stringify({ name, type, options: {}, indexes: [], exact }, ejson);
  });
  return Buffer.from(lines.length === 0 ? "[]\n" : `[\n${lines.join(",\n")}\n]\n`);
}

/** What a snapshot's definitions say of its collections and views. */
export const collectionsIn = (streams: readonly StreamContent[]): Definition[] =>
  streams.filter(({ name }) => name === definitionsStream).flatMap(({ content }) => readDefinitions(content));

/** Reads what `writeDefinitions` wrote. */
export function readDefinitions(content: Uint8Array): Definition[] {
  let entries: unknown;
  try {
    entries = BSON.EJSON.parse(Buffer.from(content).toString("utf8"), ejson);
  } catch (cause) {
    throw new Failure("RestoreFailed", "The snapshot's MongoDB definitions are not Extended JSON.", { cause });
  }
  if (!Array.isArray(entries)) throw new Failure("RestoreFailed", "The snapshot's MongoDB definitions are not a list.");
  return (entries as Written[]).map(({ name, type, options, indexes, exact }) =>
    exact === undefined
      ? { name, type, options, indexes }
      : { name, type, options: topLevel(exact.options), indexes: exact.indexes.map(topLevel) },
  );
}

/** Whether the text gives back the very bytes that it was made from. */
function carries(text: string, options: Uint8Array, indexes: readonly Uint8Array[]): boolean {
  try {
    const back = BSON.EJSON.parse(text, ejson) as Written;
    return sameBytes(back.options, options) && indexes.every((bytes, index) => sameBytes(back.indexes[index] as Document, bytes));
  } catch {
    return false; // a user's document that looks like Extended JSON and is none
  }
}

const sameBytes = (document: Document, bytes: Uint8Array): boolean => Buffer.compare(BSON.serialize(document), bytes) === 0;
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
/** The names of options are words, so the top level may be an object; what lies below keeps its order in Maps. */
const topLevel = (text: string): Document => Object.fromEntries(orderedDocument(Buffer.from(text, "base64")));
