import { Failure, isFailure } from "../../domain/failure.ts";
import { type Address, describe } from "./address.ts";
import { quoteLiteral } from "./quoting.ts";
import { openSession, type Session } from "./session.ts";

/** A session that sees the database exactly as the hold does. Throws `HoldLost` when the snapshot is gone. */
export const openSnapshotSession = async (address: Address, token: string, signal: AbortSignal): Promise<Session> => {
  const session = await openSession(address, "read", signal);
  try {
    await session.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    await importSnapshot(session, token);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
};

const importSnapshot = async (session: Session, token: string): Promise<void> => {
  try {
    await session.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(token)}`);
  } catch (error) {
    // Whatever the server answers, in whatever language: this statement fails for no other reason than a snapshot that it cannot take.
    if (!isFailure(error) || error.type === "DatabaseUnreachable") throw error;
    throw new Failure("HoldLost", `${describe(session.address)}: the snapshot ${token} is no longer held`, { cause: error });
  }
};

export const withSnapshotSession = async <T>(
  address: Address,
  token: string,
  signal: AbortSignal,
  work: (session: Session) => Promise<T>,
): Promise<T> => {
  const session = await openSnapshotSession(address, token, signal);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
};
