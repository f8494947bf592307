import type { Connection } from "./connection.ts";
import { isRefusal } from "./failures.ts";
import { mayReplicate } from "./psync.ts";
import { dumpVersion } from "./rdb/dump.ts";
import { newestRdb } from "./rdb/file.ts";
import type { ServerFacts } from "./server-facts.ts";

/**
 * How keys are read, the best first: the RDB that a replica would get, which is one point in time; keys one after
 * another, each with its expiry, by `DUMP`; or by the commands of its type.
 */
export type Method = "replication" | "dump" | "types";

export interface ChosenMethod {
  readonly method: Method;
  /** Why not a better one; empty for the best. */
  readonly why: readonly string[];
  /** Of the server's RDB; undefined where it will not say. */
  readonly rdbVersion: number | undefined;
}

/** Finds by trying what the server lets this user do; nothing is written or prepared. */
export const chooseMethod = async (connection: Connection, facts: ServerFacts, signal: AbortSignal): Promise<ChosenMethod> => {
  const rdbVersion = await rdbVersionOf(connection, facts);
  const newest = newestRdb[facts.flavor];
  if (rdbVersion !== undefined && rdbVersion > newest)
    return {
      method: "types",
      why: [`its RDB version ${rdbVersion} is newer than ${newest}, the newest that this dbgov reads`],
      rdbVersion,
    };
  const why: string[] = [];
  if (await mayReplicate(connection.address, signal)) return { method: "replication", why, rdbVersion };
  why.push("the server does not let this user replicate (PSYNC)");
  if ((await attempt(() => connection.call("DUMP", "dbgov"))) !== refused) return { method: "dump", why, rdbVersion };
  why.push("nor read keys as they are (DUMP)");
  return { method: "types", why, rdbVersion };
};

/** For reading back a copy that nobody writes to: a fork for it would be a waste. */
export const chooseForReading = async (connection: Connection, facts: ServerFacts): Promise<Exclude<Method, "replication">> => {
  const rdbVersion = await rdbVersionOf(connection, facts);
  if (rdbVersion !== undefined && rdbVersion > newestRdb[facts.flavor]) return "types";
  return (await attempt(() => connection.call("DUMP", "dbgov"))) === refused ? "types" : "dump";
};

/** A dump of the functions is small, and ends with the version of the RDB. Servers before 7.0 have none, and are known. */
const rdbVersionOf = async (connection: Connection, { compatible }: ServerFacts): Promise<number | undefined> => {
  if (compatible[0] < 7) return 9;
  const dump = await attempt(() => connection.call("FUNCTION", "DUMP"));
  return Buffer.isBuffer(dump) && dump.length >= 10 ? dumpVersion(dump) : undefined;
};

const refused = Symbol("refused");

const attempt = async <T>(work: () => Promise<T>): Promise<T | typeof refused> => {
  try {
    return await work();
  } catch (error) {
    if (isRefusal(error)) return refused;
    throw error;
  }
};
