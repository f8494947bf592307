import type { Document } from "mongodb";
import type { Definition } from "./definitions.ts";

/** Options that describe what the server once did, and that it no longer takes. */
const obsolete = new Set(["autoIndexId", "flags", "uuid"]);
const validation = new Set(["validator", "validationLevel", "validationAction"]);

/** Creates a collection, time-series collection or view as defined, but lets any document in: validation comes last. */
export function createCommand({ name, options }: Definition): Document {
  const kept = Object.entries(options).filter(([key]) => !obsolete.has(key) && !validation.has(key));
  return { create: name, ...Object.fromEntries(kept) };
}

/** Puts the collection's validation in force; undefined when it has none. */
export function validationCommand({ name, options }: Definition): Document | undefined {
  const present = Object.entries(options).filter(([key]) => validation.has(key));
  return present.length === 0 ? undefined : { collMod: name, ...Object.fromEntries(present) };
}

/** Builds the collection's indexes with all their options; undefined when it has none beside that on `_id`. */
export function indexesCommand({ name, indexes }: Definition): Document | undefined {
  return indexes.length === 0 ? undefined : { createIndexes: name, indexes: indexes.map(indexOptions) };
}

/** `ns` is of servers before 4.4. Version 2 is what every server builds by itself, and some compatible ones do not know the word. */
function indexOptions(index: Document): Document {
  const { ns: _, v, ...rest } = index;
  return Number(v) === 2 ? rest : { ...(v === undefined ? {} : { v }), ...rest };
}
