import type { Document } from "mongodb";
import { eachLimited } from "../../domain/each-limited.ts";
import { Failure } from "../../domain/failure.ts";
import type { Restoration, RestoreOptions, RestoreProgress } from "../engine.ts";
import { orAborted } from "../or-aborted.ts";
import { accountsIn, restoreAccounts } from "./accounts.ts";
import { type CatalogEntry, listCatalog, roleOf } from "./catalog.ts";
import { type Connection, connect } from "./connection.ts";
import { createCommand, indexesCommand, validationCommand } from "./create.ts";
import { collectionsIn, type Definition } from "./definitions.ts";
import { documentBatches } from "./document-batches.ts";
import { mongoFailure } from "./failures.ts";
import { chosenDefinitions, partNotes } from "./part.ts";
import { findRaw } from "./raw-cursor.ts";
import { insertRaw } from "./raw-insert.ts";
import { beginProgress, endProgress, progressCollection, readProgress, recordMeasured, recordPart } from "./restore-progress.ts";

const batchBytes = 8 << 20;
const batchDocuments = 20_000;

/** Opens a restore into the database at `url`; nothing is written before `prepare`. */
export async function openRestoration(url: string, options: RestoreOptions, signal: AbortSignal): Promise<Restoration> {
  const all = collectionsIn(options.definitions);
  const definitions = chosenDefinitions(all, options.part);
  const accounts = options.part === undefined ? accountsIn(options.definitions) : undefined;
  const notes = partNotes(all, definitions);
  const names = new Set(definitions.map(({ name }) => name));
  const beside = options.part !== undefined && "only" in options.part;
  const { progress } = options;
  const written = new Set<string>();
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
    const content = await guarded("looking at the target", () => contentOf(connection));
    const own = progress === undefined ? undefined : progressCollection(progress);
    const present = beside ? content.filter(({ name }) => names.has(name) || name === own) : content;
    if (present.length === 0 || options.replace) return present;
    throw present.some(({ name }) => name === own) ? unfinished(connection) : notEmpty(connection, present);
  };
  const create = async (present: ReadonlySet<string>): Promise<void> => {
    for (const definition of definitions)
      if (definition.type !== "view" && !isSystem(definition.name) && !present.has(definition.name))
        await run(`creating collection ${quoted(definition.name)}`, createCommand(definition));
  };
  /** Where documents go to such a name itself, and not to its buckets, they are measurements: whoever resumes writes them anew. */
  const measurements = new Set(definitions.filter(({ options }) => options.timeseries !== undefined).map(({ name }) => name));
  const present = async (): Promise<Set<string>> =>
    new Set((await guarded("looking at the target", () => listCatalog(connection))).map(({ name }) => name));

  const resume = async (from: RestoreProgress): Promise<void> => {
    const came = await guarded("reading how far it came", () => readProgress(connection, from));
    for (const part of came.written) written.add(part);
    const there = await present();
    for (const name of came.measured) if (there.delete(name)) await run(`dropping ${quoted(name)}`, { drop: name });
    await create(there);
  };

  return {
    notes,
    written,
    preview: async () => {
      if (progress?.resume === true) {
        const done = await guarded("reading how far it came", () => readProgress(connection, progress));
        return { creates: [], drops: [], notes: [...notes, `An earlier attempt has written ${done.written.length} parts, which stay.`] };
      }
      return { creates: countDefinitions(definitions), drops: (await replaceable()).map(({ name }) => name), notes };
    },
    prepare: async () => {
      if (progress?.resume === true) return await resume(progress);
      for (const { name } of await replaceable())
        await run(`dropping ${quoted(name)}`, isSystem(name) ? { delete: name, deletes: [{ q: {}, limit: 0 }] } : { drop: name });
      if (progress !== undefined) await guarded("beginning", () => beginProgress(connection, progress));
      await create(new Set());
    },
    write: (stream, content, part) =>
      guarded(`writing ${quoted(stream.name)}`, async () => {
        const collection = collectionOf(stream.target);
        const measured = measurements.has(collection);
        if (progress !== undefined && measured) await recordMeasured(connection, progress, collection);
        await writeDocuments(connection, collection, content, signal);
        if (progress !== undefined && part !== undefined && !measured) await recordPart(connection, progress, part);
      }),
    finish: async () => {
      await eachLimited(definitions, options.parallelism, async (definition) => {
        const command = indexesCommand(definition);
        if (command !== undefined) await run(`building the indexes of ${quoted(definition.name)}`, command);
      });
      for (const definition of definitions) {
        const command = validationCommand(definition);
        if (command !== undefined) await run(`setting the validator of ${quoted(definition.name)}`, command);
      }
      const there = progress?.resume === true ? await present() : new Set();
      for (const definition of definitions)
        if (definition.type === "view" && !there.has(definition.name))
          await run(`creating view ${quoted(definition.name)}`, createCommand(definition));
      if (accounts !== undefined)
        notes.push(...(await guarded("restoring roles", () => restoreAccounts(connection, accounts, options.replace))));
      if (progress !== undefined) await guarded("ending", () => endProgress(connection, progress));
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

const unfinished = ({ address }: Connection): Failure =>
  new Failure(
    "TargetNotEmpty",
    `Database ${address.label} holds an unfinished restore of this very snapshot: go on with it by --resume, or start over with --replace.`,
  );

const countDefinitions = (definitions: readonly Definition[]): { kind: string; count: number }[] => {
  const kinds = [...Map.groupBy(definitions, ({ type }) => type)].map(([kind, { length }]) => ({ kind, count: length }));
  const indexes = definitions.reduce((sum, definition) => sum + definition.indexes.length, 0);
  return [...kinds, ...(indexes === 0 ? [] : [{ kind: "index", count: indexes }])];
};

const isSystem = (name: string): boolean => name.startsWith("system.");
const quoted = (name: string): string => JSON.stringify(name);
const collectionOf = (target: unknown): string => (target as { collection: string }).collection;
