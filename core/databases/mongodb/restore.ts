import type { Document } from "mongodb";
import { Failure } from "../../domain/failure.ts";
import type { Restoration, RestoreOptions } from "../engine.ts";
import { type CatalogEntry, listCatalog, roleOf } from "./catalog.ts";
import { type Connection, connect, orAborted } from "./connection.ts";
import { createCommand, indexesCommand, validationCommand } from "./create.ts";
import { readDefinitions } from "./definitions.ts";
import { documentBatches } from "./document-batches.ts";
import { mongoFailure } from "./failures.ts";
import { findRaw } from "./raw-cursor.ts";
import { insertRaw } from "./raw-insert.ts";

const batchBytes = 8 << 20;
const batchDocuments = 20_000;

/** Opens a restore into the database at `url`; nothing is written before `prepare`. */
export async function openRestoration(url: string, options: RestoreOptions, signal: AbortSignal): Promise<Restoration> {
  const definitions = options.definitions.flatMap(({ content }) => readDefinitions(content));
  const connection = await connect(url, signal);
  const { address } = connection;
  const run = async (during: string, command: Document): Promise<void> => {
    await guarded(during, () => connection.run(command, { signal }));
  };
  const guarded = async <T>(during: string, work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    try {
      return await orAborted(work(), signal);
    } catch (error) {
      signal.throwIfAborted();
      throw mongoFailure(error, address, during, "RestoreFailed");
    }
  };
  /** What is there and has to go first; refuses where nothing may. */
  const replaceable = async (): Promise<CatalogEntry[]> => {
    const present = await guarded("looking at the target", () => contentOf(connection));
    if (present.length > 0 && !options.replace) throw notEmpty(connection, present);
    return present;
  };
  return {
    notes: [],
    written: new Set(),
    preview: async () => {
      await replaceable();
      return { creates: [], drops: [], notes: [] };
    },
    prepare: async () => {
      const present = await replaceable();
      for (const { name } of present)
        await run(`dropping ${quoted(name)}`, isSystem(name) ? { delete: name, deletes: [{ q: {}, limit: 0 }] } : { drop: name });
      for (const definition of definitions)
        if (definition.type !== "view" && !isSystem(definition.name))
          await run(`creating collection ${quoted(definition.name)}`, createCommand(definition));
    },
    write: (stream, content) =>
      guarded(`writing ${quoted(stream.name)}`, () => writeDocuments(connection, collectionOf(stream.target), content, signal)),
    finish: async () => {
      await inParallel(definitions, options.parallelism, async (definition) => {
        const command = indexesCommand(definition);
        if (command !== undefined) await run(`building the indexes of ${quoted(definition.name)}`, command);
      });
      for (const definition of definitions) {
        const command = validationCommand(definition);
        if (command !== undefined) await run(`setting the validator of ${quoted(definition.name)}`, command);
      }
      for (const definition of definitions)
        if (definition.type === "view") await run(`creating view ${quoted(definition.name)}`, createCommand(definition));
    },
    async *readBack(stream) {
      try {
        yield* findRaw(connection, { collection: collectionOf(stream.target) }, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw mongoFailure(error, address, `reading back ${quoted(stream.name)}`);
      }
    },
    close: async () => connection.release(),
  };
}

/**
 * One batch is on its way while the next is gathered. MongoDB has no transaction large enough for a part, so a call that
 * fails leaves what it inserted; called again with the same content it completes that and doubles nothing.
 */
async function writeDocuments(
  connection: Connection,
  collection: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const { hello } = connection;
  const limits = {
    bytes: Math.min(batchBytes, hello.maxMessageSizeBytes / 2),
    documents: Math.min(batchDocuments, hello.maxWriteBatchSize),
  };
  let underWay: Promise<void> = Promise.resolve();
  try {
    for await (const batch of documentBatches(content, limits)) {
      await underWay;
      signal.throwIfAborted();
      underWay = insertRaw(connection, collection, batch, signal);
      underWay.catch(() => undefined); // awaited with the next batch
    }
  } finally {
    await underWay.catch(() => undefined);
  }
  await underWay;
}

/** What the target holds of users' own, views first, since they hang on collections. */
async function contentOf(connection: Connection): Promise<CatalogEntry[]> {
  const catalog = await listCatalog(connection);
  const present: CatalogEntry[] = [];
  for (const entry of catalog) {
    const role = roleOf(entry, catalog);
    if (role === "ignored" || role === "buckets") continue;
    if (isSystem(entry.name) && (await connection.db.collection(entry.name).findOne({}, { projection: { _id: 1 } })) === null) continue;
    present.push(entry);
  }
  return present.sort((a, b) => Number(b.type === "view") - Number(a.type === "view"));
}

const notEmpty = ({ address }: Connection, present: readonly CatalogEntry[]): Failure =>
  new Failure(
    "TargetNotEmpty",
    `Database ${address.label} is not empty: it holds ${present.length === 1 ? "" : `${present.length} collections and views, among them `}${quoted(present[0]!.name)}.`,
  );

const isSystem = (name: string): boolean => name.startsWith("system.");
const quoted = (name: string): string => JSON.stringify(name);
const collectionOf = (target: unknown): string => (target as { collection: string }).collection;

async function inParallel<T>(items: readonly T[], workers: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.max(1, workers) }, worker));
}
