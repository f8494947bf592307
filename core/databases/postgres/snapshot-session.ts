import { Failure, isFailure } from "../../domain/failure.ts";
import { type Address, describe } from "./address.ts";
import { isAwaited, makeRoom, whenThereIsRoom } from "./connection-room.ts";
import { quoteLiteral } from "./quoting.ts";
import { openSession, type Session, socketOf } from "./session.ts";

/** A session that sees the database exactly as the hold does. Waits where the server allows no more. Throws `HoldLost` when the snapshot is gone. */
const openSnapshotSession = async (address: Address, token: string, signal: AbortSignal): Promise<Session> => {
  const session = await whenThereIsRoom(address, signal, async () => {
    try {
      return await openSession(address, "read", signal);
    } catch (error) {
      await closeIdleSessions(address);
      throw error;
    }
  });
  try {
    await session.query(beginSql);
    await importSnapshot(session, token);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
};

const beginSql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

const importSnapshot = async (session: Session, token: string, before = ""): Promise<void> => {
  try {
    await session.query(`${before} SET TRANSACTION SNAPSHOT ${quoteLiteral(token)}`);
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
    makeRoom(address);
  }
};

const idleMs = 2_000;
const unaborted = new AbortController().signal;

interface Idle {
  readonly session: Session;
  readonly expiry: NodeJS.Timeout;
}

/** Sessions between two parts of one snapshot, in a process that reads many: a database may have many thousand small tables. */
const idle = new Map<string, Idle[]>();

const keyOf = (address: Address, token: string): string => JSON.stringify([address, token]);

/** Closes what waits for parts that may never come, whatever the snapshot. */
export const closeIdleSessions = async ({ host, port }: Address): Promise<void> => {
  const closed: Promise<void>[] = [];
  for (const [key, entries] of idle) {
    const [address] = JSON.parse(key) as [Address];
    if (address.host !== host || address.port !== port) continue;
    idle.delete(key);
    for (const { session, expiry } of entries.splice(0)) {
      clearTimeout(expiry);
      closed.push(session.close());
    }
  }
  await Promise.all(closed);
};

/** A session that sees the snapshot: one that was given back a moment ago, or a new one. */
export const leaseSnapshotSession = async (address: Address, token: string, signal: AbortSignal): Promise<Session> => {
  signal.throwIfAborted();
  const key = keyOf(address, token);
  const waiting = idle.get(key);
  for (let next = waiting?.pop(); next !== undefined; next = waiting?.pop()) {
    clearTimeout(next.expiry);
    if (waiting?.length === 0) idle.delete(key);
    if (next.session.gone) continue;
    socketOf(next.session.client).ref();
    next.session.follow(signal);
    return next.session;
  }
  return await openSnapshotSession(address, token, signal);
};

/**
 * Keeps it for the next part, without the locks of this one; it is closed when none comes soon, and does not keep the process alive.
 * Throws `HoldLost` unless the hold still stands: this session goes on seeing the snapshot without it, but not without the hold's
 * locks, since a table that is truncated or rewritten meanwhile looks empty to it. Only then is what was read to be believed.
 */
export const giveBackSnapshotSession = async (session: Session, token: string): Promise<void> => {
  try {
    // The server takes a snapshot from a transaction that still runs, and from no other.
    await importSnapshot(session, token, `ROLLBACK; ${beginSql};`);
  } catch (error) {
    await session.close();
    throw error;
  }
  session.follow(unaborted);
  if (isAwaited(session.address)) {
    await session.close();
    makeRoom(session.address);
    return;
  }
  socketOf(session.client).unref();
  const key = keyOf(session.address, token);
  const waiting = idle.get(key) ?? [];
  idle.set(key, waiting);
  const expire = (): void => {
    waiting.splice(waiting.indexOf(entry), 1);
    if (waiting.length === 0 && idle.get(key) === waiting) idle.delete(key);
    void session.close();
  };
  const entry: Idle = { session, expiry: setTimeout(expire, idleMs).unref() };
  waiting.push(entry);
};

/** As `withSnapshotSession`, for what is asked between other parts: in a session that they use, too. */
export const withLeasedSession = async <T>(
  address: Address,
  token: string,
  signal: AbortSignal,
  work: (session: Session) => Promise<T>,
): Promise<T> => {
  const session = await leaseSnapshotSession(address, token, signal);
  let done: { readonly result: T } | undefined;
  try {
    done = { result: await work(session) };
  } finally {
    if (done === undefined) await session.close();
  }
  await giveBackSnapshotSession(session, token);
  return done.result;
};
