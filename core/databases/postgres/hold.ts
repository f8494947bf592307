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
    await session.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const [exported] = await session.query<{ token: string }>("SELECT pg_export_snapshot() AS token");
    await lockTables(session);
    return toHold(session, exported!.token);
  } catch (error) {
    await session.close();
    throw error;
  }
};

const lockTables = async (session: Session): Promise<void> => {
  const names = await listTableNames(session);
  for (let first = 0; first < names.length; first += tablesPerLock) {
    const some = names.slice(first, first + tablesPerLock);
    try {
      await session.query(`LOCK TABLE ${some.map((name) => `ONLY ${name}`).join(", ")} IN ACCESS SHARE MODE`);
    } catch (error) {
      if (!isFailure(error, "SourceChanged")) throw error;
      throw new Failure("SourceChanged", `${error.message}: tables could not be locked against being dropped`, { cause: error });
    }
  }
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
