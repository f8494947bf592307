import { hash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { BSON, type Document } from "mongodb";
import type { Exportation, ExportOptions } from "../engine.ts";
import { writeFailure, writeFileOf } from "../export-file.ts";
import { collectionsIn, type Definition } from "./definitions.ts";
import { bucketsOf, chosenDefinitions, partNotes } from "./part.ts";

/** The files that mongodump writes: `DATABASE/COLLECTION.bson`, the documents as they are, and `COLLECTION.metadata.json`. */
export const openExportation = async (folder: string, options: ExportOptions, signal: AbortSignal): Promise<Exportation> => {
  const all = collectionsIn(options.definitions);
  const definitions = chosenDefinitions(all, options.part);
  const inside = join(folder, options.databaseName);
  try {
    await mkdir(inside, { mode: 0o700 });
  } catch (cause) {
    throw writeFailure(inside, cause);
  }
  const written = new Set(options.streams.map(({ name }) => name));
  return {
    write: (stream, content) => writeFileOf(join(inside, `${fileName(stream.name)}.bson`), content, signal),
    finish: async () => {
      for (const definition of definitions)
        await writeFileOf(join(inside, `${fileName(definition.name)}.metadata.json`), oneBlock(metadataOf(definition)), signal);
      const measured = definitions.filter(
        ({ name, options: { timeseries } }) => timeseries !== undefined && written.has(name) && !written.has(bucketsOf(name)),
      );
      return {
        format: "files of mongodump",
        load: `mongorestore --uri=TARGET_URL --dir=${inside}`,
        notes: [
          ...partNotes(all, definitions),
          ...measured.map(
            ({ name }) => `${name} is a time-series collection whose measurements, not its buckets, are here: insert them yourself.`,
          ),
        ],
      };
    },
  };
};

async function* oneBlock(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** The index on `_id` goes without saying in a snapshot, but mongorestore expects it. */
const idIndex: Document = { v: new BSON.Int32(2), key: { _id: new BSON.Int32(1) }, name: "_id_" };

const metadataOf = ({ name, type, options, indexes }: Definition): string => {
  const withId = type === "collection" && options.clusteredIndex === undefined;
  const metadata = { options, indexes: [...(withId ? [idIndex] : []), ...indexes], collectionName: name, type };
  return BSON.EJSON.stringify(metadata, { relaxed: false });
};

/** As Go's `url.QueryEscape` does it, which mongorestore undoes. */
const escaped = (name: string): string =>
  encodeURIComponent(name)
    .replaceAll("%20", "+")
    .replaceAll(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);

const longest = 238;

/** A name too long for a file is cut, and ends in a hash of the whole; mongorestore then takes it from the metadata. */
const fileName = (collection: string): string => {
  const name = escaped(collection);
  if (name.length <= longest) return name;
  const digest = hash("sha1", collection, "base64url");
  return `${name.slice(0, longest - digest.length - 3)}%24${digest}`;
};
