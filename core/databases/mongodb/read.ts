import { MongoServerError } from "mongodb";
import { Failure } from "../../domain/failure.ts";
import type { PartPlan, StreamPlan } from "../engine.ts";
import { orAborted } from "../or-aborted.ts";
import { accountsStream, listAccounts, writeAccounts } from "./accounts.ts";
import { listCatalog, listIndexes } from "./catalog.ts";
import { type Connection, connect } from "./connection.ts";
import { writeDefinitions } from "./definitions.ts";
import { mongoFailure } from "./failures.ts";
import type { DefinitionsSelector, RowsSelector } from "./plan.ts";
import { findRaw } from "./raw-cursor.ts";
import { partReadConcern } from "./snapshot-read.ts";
import { filterOf } from "./split.ts";

/** The bytes of one part: documents one after another, exactly as the server sent them, or the definitions. */
export async function* readPart(
  url: string,
  token: string,
  stream: StreamPlan,
  part: PartPlan,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const connection = await connect(url, signal);
  try {
    if (stream.name === accountsStream) yield await orAborted(readAccounts(connection), signal);
    else if (stream.kind === "definition") yield await orAborted(readDefinitions(connection, part.selector as DefinitionsSelector), signal);
    else yield* readRows(connection, token, part.selector as RowsSelector, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw mongoFailure(error, connection.address, `reading ${JSON.stringify(stream.name)}`);
  } finally {
    connection.release();
  }
}

/**
 * A collection that is gone reads as empty, so that it is still the one that was planned is asked before and after.
 */
async function* readRows(
  connection: Connection,
  token: string,
  selector: RowsSelector,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const { collection, averageBytes } = selector;
  await orAborted(requireUnchanged(connection, selector), signal);
  const readConcern = partReadConcern(token, selector.snapshot);
  const find = {
    collection,
    averageBytes,
    ...(selector.range === null ? {} : { filter: filterOf(selector.range) }),
    ...(readConcern === undefined ? {} : { readConcern }),
  };
  try {
    yield* findRaw(connection, find, signal);
  } catch (error) {
    // Some servers only say that the cursor is gone when it is the collection that is.
    if (error instanceof MongoServerError && !signal.aborted) await requireUnchanged(connection, selector);
    throw error;
  }
  await orAborted(requireUnchanged(connection, selector), signal);
}

async function requireUnchanged(connection: Connection, { collection, uuid }: RowsSelector): Promise<void> {
  const [entry] = await listCatalog(connection, collection);
  if (entry === undefined || (uuid !== null && entry.uuid !== uuid)) throw changed(connection, collection, entry !== undefined);
}

const changed = ({ address }: Connection, name: string, another: boolean): Failure =>
  new Failure(
    "SourceChanged",
    `Collection ${JSON.stringify(name)} of ${address.label} was ${another ? "replaced by another of that name" : "dropped or renamed"} during the capture.`,
  );

async function readAccounts(connection: Connection): Promise<Uint8Array> {
  const accounts = await listAccounts(connection);
  if (accounts !== undefined) return writeAccounts(accounts);
  throw new Failure(
    "SourceChanged",
    `The users of ${connection.address.label} could be listed when the capture was planned, and no longer.`,
  );
}

async function readDefinitions(connection: Connection, { definitions }: DefinitionsSelector): Promise<Uint8Array> {
  const catalog = new Map((await listCatalog(connection)).map((entry) => [entry.name, entry]));
  const entries = [];
  for (const { name, uuid } of definitions) {
    const entry = catalog.get(name);
    if (entry === undefined || (uuid !== null && entry.uuid !== uuid)) throw changed(connection, name, entry !== undefined);
    entries.push({ entry, indexes: entry.type === "view" ? [] : await listIndexes(connection, name) });
  }
  return writeDefinitions(entries);
}
