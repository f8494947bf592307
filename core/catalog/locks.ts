import pg from "pg";
import { type Catalog, connectionConfig, type Queryable, run } from "./catalog.ts";
import { catalogFailure } from "./catalog-failure.ts";

/** First half of every advisory lock's key, so that they meet no other application's: "dbgv". */
const lockSpace = 0x64626776;
const migrationLock = 1;
const referencesLock = 2;

export const lockMigrations = (db: Queryable): Promise<unknown> =>
  run(db, "SELECT pg_advisory_xact_lock($1, $2)", [lockSpace, migrationLock]);

/**
 * Held to the end of the transaction. Who makes references (claims, commits, registrations) shares it; who judges that
 * nothing refers to an object (condemning, beginning to delete, removing) has it alone. The next statement then sees every
 * reference there is, which row locks cannot give: a statement that waits for a row does not look again at other tables.
 */
export const lockReferences = (db: Queryable, mode: "shared" | "alone"): Promise<unknown> =>
  run(db, `SELECT pg_advisory_xact_lock${mode === "shared" ? "_shared" : ""}($1, $2)`, [lockSpace, referencesLock]);

/** Held to the end of the transaction: who asks for room in an account's stores is heard alone. */
export const lockRoom = (db: Queryable, account: string): Promise<unknown> =>
  run(db, "SELECT pg_advisory_xact_lock(hashtextextended($1, $2))", [`room/${account}`, lockSpace]);

/**
 * Runs `work` while no other process runs one under the same name: appends to the log are single-file by it.
 * The lock lives on a connection of its own, outside the pool, so that waiters never starve the holder of connections.
 * `work`'s signal aborts when that connection, and so the lock, is lost, or when `signal` aborts.
 */
export const withAdvisoryLock = async <T>(
  catalog: Catalog,
  name: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const during = `waiting for the lock "${name}"`;
  signal.throwIfAborted();
  const client = new pg.Client({
    ...connectionConfig(catalog.pool.options.connectionString ?? ""),
    application_name: "dbgov-lock",
    statement_timeout: 0,
    query_timeout: 0,
  });
  const lost = new AbortController();
  client.on("error", (error) => lost.abort(catalogFailure(error, `holding the lock "${name}"`)));
  client.on("end", () => lost.abort(catalogFailure(new Error("Connection terminated"), `holding the lock "${name}"`)));
  // Ending the connection is what cancels a wait for the lock.
  const stop = () => void client.end().catch(() => {});
  signal.addEventListener("abort", stop, { once: true });
  try {
    try {
      await client.connect();
      await client.query("SELECT pg_advisory_lock(hashtextextended($1, $2))", [name, lockSpace]);
    } catch (error) {
      signal.throwIfAborted();
      throw catalogFailure(error, during);
    }
    return await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    signal.removeEventListener("abort", stop);
    await client.end().catch(() => {});
  }
};
