import { Failure } from "../../domain/failure.ts";
import { withDatabase } from "./address.ts";
import { type Connection, connected } from "./connection.ts";
import { isRefusal } from "./failures.ts";
import { scratchMark, scratchMarks } from "./scratch-mark.ts";
import { readFacts, type ServerFacts } from "./server-facts.ts";

const defaultDatabases = 16;
/** Of the machine's memory, or of `maxmemory`: beyond this a second copy may push out the first. */
const mostMemory = 0.8;

/**
 * Redis has no named databases. A drill gets the server itself when that is empty, as a policy's `drill.target` should be;
 * else a logical database of it that is empty, if there is memory for a second copy. It is marked by a key.
 */
export const createScratch = (url: string, name: string, signal: AbortSignal): Promise<string> =>
  connected(url, signal, "preparing a scratch database", async (connection) => {
    await drop(connection, name);
    const facts = await readFacts(connection);
    const { address } = connection;
    if (facts.keyspace === undefined) throw noPlace(connection, "its user may not ask for INFO, so that nobody knows what is empty");
    if (facts.keyspace.length === 0) {
      await claim(connection, address.database ?? 0, name);
      return url;
    }
    const used = new Set(facts.keyspace.map(({ database }) => database));
    refuseWithoutMemory(connection, facts);
    for (const database of await candidates(connection)) {
      if (used.has(database)) continue;
      await claim(connection, database, name);
      return withDatabase(url, database);
    }
    throw noPlace(connection, "none of its logical databases is empty");
  });

/** Empties every logical database that is marked with the name; succeeds when there is none. */
export const dropScratch = (url: string, name: string, signal: AbortSignal): Promise<void> =>
  connected(url, signal, "dropping a scratch database", (connection) => drop(connection, name));

const drop = async (connection: Connection, name: string): Promise<void> => {
  const marks = await scratchMarks(connection, await readFacts(connection));
  for (const [database, mark] of marks) {
    if (mark !== name) continue;
    await connection.select(database);
    await connection.call("FLUSHDB");
  }
};

/** Two drills that want the same database: the mark is one's alone, and nothing else may be there. */
const claim = async (connection: Connection, database: number, name: string): Promise<void> => {
  await connection.select(database);
  const made = await connection.call("SET", scratchMark, name, "NX");
  if (made !== null && Number(await connection.call("DBSIZE")) === 1) return;
  if (made !== null) await connection.call("DEL", scratchMark);
  throw noPlace(connection, `logical database ${database} is in use by now`);
};

/** The highest first: people count from 0. */
const candidates = async (connection: Connection): Promise<number[]> => {
  let count = defaultDatabases;
  try {
    const [, value] = (await connection.call("CONFIG", "GET", "databases")) as readonly Buffer[];
    count = Number(value ?? defaultDatabases);
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
  return Array.from({ length: count }, (_, n) => count - 1 - n);
};

const refuseWithoutMemory = (connection: Connection, { usedMemory, maxMemory, systemMemory }: ServerFacts): void => {
  const limit = maxMemory > 0 ? maxMemory : systemMemory;
  if (limit > 0 && usedMemory * 2 > limit * mostMemory)
    throw noPlace(connection, "a second copy of its keys would not fit into its memory");
};

const noPlace = ({ address }: Connection, why: string): Failure =>
  new Failure(
    "ConfigurationInvalid",
    `Redis at ${address.label} has no place for a drill: ${why}; name an empty server as drill.target in the policy.`,
  );
