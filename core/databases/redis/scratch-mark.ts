import { ErrorReply } from "@redis/client";
import type { Connection } from "./connection.ts";
import { isRefusal } from "./failures.ts";
import type { ServerFacts } from "./server-facts.ts";

/** A key that says of a logical database that it is a drill's, and of which: its content may be dropped with it. */
export const scratchMark = "dbgov:scratch-database";

/** Marked databases of the server, with what they are marked with. */
export const scratchMarks = async (connection: Connection, facts: ServerFacts): Promise<ReadonlyMap<number, string>> => {
  const marks = new Map<number, string>();
  const databases = (facts.keyspace ?? []).map(({ database }) => database);
  for (const database of databases) {
    await connection.select(database);
    const mark = await connection.call("GET", scratchMark).catch(unlessNoMark);
    if (Buffer.isBuffer(mark)) marks.set(database, mark.toString("utf8"));
  }
  if (databases.length > 0) await connection.select(connection.address.database ?? 0);
  return marks;
};

/** Something else of that name, or a user who may not look: then it is no drill's. Whatever passes, as a server that loads, is no answer. */
const unlessNoMark = (error: unknown): null => {
  if (error instanceof ErrorReply && (error.message.startsWith("WRONGTYPE") || isRefusal(error))) return null;
  throw error;
};

export const scratchDatabases = async (connection: Connection, facts: ServerFacts): Promise<number[]> => [
  ...(await scratchMarks(connection, facts)).keys(),
];
