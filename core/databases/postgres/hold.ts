import { Failure, isFailure } from "../../domain/failure.ts";
import type { Hold } from "../engine.ts";
import { type Address, describe } from "./address.ts";
import { openSession, refuseTransactionPooler, type Session } from "./session.ts";
import { listTableNames } from "./tables.ts";

const tablesPerLock = 500;

/**
 * Opens the snapshot and, as pg_dump does, takes the weakest lock on every table, so that none is dropped or rewritten while it is
 * captured. Only DDL waits for it; reads and writes do not.
 */
export const openHold = async (address: Address, signal: AbortSignal): Promise<Hold> => {
  const session = await openSession(address, "read", signal);
  try {
    await refuseTransactionPooler(session, signal);
    for (let attempt = 1; ; attempt += 1) {
      await session.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      const [exported] = await session.query<{ token: string }>("SELECT pg_export_snapshot() AS token");
      const changed = await lockTables(session);
      if (changed === undefined) return toHold(session, exported!.token);
      if (attempt === attempts) throw changed;
      await session.query("ROLLBACK");
    }
  } catch (error) {
    await session.close();
    throw error;
  }
};

/** A snapshot older than a change of a table cannot be read, and is taken anew. */
const attempts = 5;

/**
 * Locks what the snapshot sees. Returns what has changed between snapshot and locks: a table that was dropped, or one that was
 * rewritten or truncated, which would look empty or wrong to a snapshot older than that.
 */
const lockTables = async (session: Session): Promise<Failure | undefined> => {
  const names = await listTableNames(session);
  for (let first = 0; first < names.length; first += tablesPerLock) {
    const some = names.slice(first, first + tablesPerLock);
    try {
      await session.query(`LOCK TABLE ${some.map((name) => `ONLY ${name}`).join(", ")} IN ACCESS SHARE MODE`);
    } catch (error) {
      if (!isFailure(error, "SourceChanged")) throw error;
      const failure = new Failure("SourceChanged", `${error.message}: tables could not be locked against being dropped`, { cause: error });
      if (/does not exist/.test(error.message) || /\((42P01|3F000)\)/.test(error.message)) return failure;
      throw failure;
    }
  }
  // The function answers as of now, the catalog as of the snapshot.
  const [rewritten] = await session.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c
     WHERE c.relkind = 'r' AND c.relfilenode <> 0 AND c.oid >= 16384 AND pg_relation_filenode(c.oid) IS DISTINCT FROM c.relfilenode LIMIT 1`,
  );
  if (rewritten === undefined) return undefined;
  return new Failure("SourceChanged", `${describe(session.address)}: ${rewritten.name} was rewritten while the snapshot was taken`);
};

const toHold = (session: Session, token: string): Hold => {
  let closing = false;
  const { promise: lost, reject } = Promise.withResolvers<never>();
  lost.catch(() => undefined); // whoever holds it decides whether to listen
  void session.ended.then(() => {
    if (!closing) reject(new Failure("HoldLost", `${describe(session.address)}: the connection that held the snapshot has ended`));
  });
  return {
    token,
    consistency: "transactional",
    lost,
    close: async () => {
      closing = true;
      await session.close();
    },
  };
};
