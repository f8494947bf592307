import pg from "pg";
import { Failure } from "../domain/failure.ts";
import { catalogFailure, isTransient } from "./catalog-failure.ts";

/** The PostgreSQL database that answers questions fast. Everything in it can be rebuilt from repository and log. */
export interface Catalog {
  readonly pool: pg.Pool;
}

/** What a query runs on: the pool, or the one connection of a transaction. */
export type Queryable = Pick<pg.ClientBase, "query">;

const types = new pg.TypeOverrides();
// Counts and sizes stay far below 2^53, and instants leave the catalog as ISO strings, ready for JSON.
types.setTypeParser(20, (text) => Number(text));
const parseInstant = types.getTypeParser(1184) as unknown as (text: string) => unknown;
types.setTypeParser(1184, (text) => {
  const instant = parseInstant(text);
  return instant instanceof Date ? instant.toISOString() : instant;
});

export interface CatalogOptions {
  /** A server that does not answer is unreachable after so many milliseconds; 10 seconds unless told. */
  readonly connectTimeoutMs?: number;
}

/** How every connection to the catalog is made; its `connectionString` holds a password. Throws `ConfigurationInvalid` for what is no URL of PostgreSQL. */
export const connectionConfig = (url: string, { connectTimeoutMs = 10_000 }: CatalogOptions = {}): pg.ClientConfig => {
  if (!/^postgres(ql)?:\/\/./.test(url)) {
    throw new Failure("ConfigurationInvalid", "the catalog's URL must start with postgres:// or postgresql://");
  }
  try {
    new pg.Client({ connectionString: url });
  } catch {
    // Without its cause, which quotes the URL.
    throw new Failure("ConfigurationInvalid", "the catalog's URL is not a valid PostgreSQL URL");
  }
  return {
    connectionString: url,
    application_name: "dbgov-catalog",
    connectionTimeoutMillis: connectTimeoutMs,
    // A server that takes a query and hangs is unreachable too. The client's own limit is for a network that went silent.
    statement_timeout: 300_000,
    query_timeout: 310_000,
    keepAlive: true,
    types: types as pg.CustomTypesConfig,
  };
};

/** Does no I/O. Throws `ConfigurationInvalid` when `url` is not one of PostgreSQL. */
export const openCatalog = (url: string, options: CatalogOptions = {}): Catalog => {
  const pool = new pg.Pool({ ...connectionConfig(url, options), max: 8, idleTimeoutMillis: 30_000, allowExitOnIdle: true });
  // An idle connection that breaks is replaced when the next query asks for one; unhandled, its event would end the process.
  pool.on("error", () => {});
  // So that printing a catalog never prints the password; pg reads the property by name.
  Object.defineProperty(pool.options, "connectionString", { enumerable: false });
  return { pool };
};

/** Waits for queries that run, and closes every connection. */
export const closeCatalog = async (catalog: Catalog): Promise<void> => {
  if (!catalog.pool.ended && !catalog.pool.ending) await catalog.pool.end();
};

/** One statement outside a transaction. `during` says what it is for, as in "looking up chunks". */
export const query = async <Row>(catalog: Catalog, during: string, text: string, values: readonly unknown[] = []): Promise<Row[]> => {
  try {
    return (await catalog.pool.query(text, [...values])).rows as Row[];
  } catch (error) {
    throw catalogFailure(error, during);
  }
};

/** One statement inside a transaction; errors are left to `transaction`. */
export const run = async <Row>(db: Queryable, text: string, values: readonly unknown[] = []): Promise<Row[]> =>
  (await db.query(text, [...values])).rows as Row[];

/**
 * Runs `work` in one transaction (READ COMMITTED: a statement after a lock sees what was committed before the lock was
 * granted). Deadlocks are tried again; `work` must not have effects outside the database.
 */
export const transaction = async <T>(catalog: Catalog, during: string, work: (db: Queryable) => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptTransaction(catalog, work);
    } catch (error) {
      if (!isTransient(error) || attempt >= 5) throw catalogFailure(error, during);
    }
  }
};

const attemptTransaction = async <T>(catalog: Catalog, work: (db: Queryable) => Promise<T>): Promise<T> => {
  const client = await catalog.pool.connect();
  const ignore = () => {}; // the query that runs rejects with the same error
  client.on("error", ignore);
  let broken: Error | undefined;
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch((rollback: Error) => {
      broken = rollback;
    });
    throw error;
  } finally {
    client.off("error", ignore);
    client.release(broken);
  }
};
