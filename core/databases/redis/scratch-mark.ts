import type { Connection } from "./connection.ts";
import type { ServerFacts } from "./server-facts.ts";

/** A key that says of a logical database that it is a drill's, and of which: its content may be dropped with it. */
export const scratchMark = "dbgov:scratch-database";

/** Marked databases of the server, with what they are marked with. */
export const scratchMarks = async (connection: Connection, facts: ServerFacts): Promise<ReadonlyMap<number, string>> => {
  const marks = new Map<number, string>();
  const databases = (facts.keyspace ?? []).map(({ database }) => database);
  for (const database of databases) {
    await connection.select(database);
    const mark = await connection.call("GET", scratchMark).catch(() => null);
    if (Buffer.isBuffer(mark)) marks.set(database, mark.toString("utf8"));
  }
  if (databases.length > 0) await connection.select(connection.address.database ?? 0);
  return marks;
};

export const scratchDatabases = async (connection: Connection, facts: ServerFacts): Promise<number[]> => [
  ...(await scratchMarks(connection, facts)).keys(),
];
