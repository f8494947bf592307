import type { Address } from "./address.ts";
import { makeRoom, whenThereIsRoom } from "./connection-room.ts";
import type { Purpose } from "./failures.ts";
import { quoteLiteral } from "./quoting.ts";
import { openSession, type Session } from "./session.ts";

/** Sessions that are used again: whoever leases one gives it back when all went well, and closes it otherwise. */
export interface SessionPool {
  lease(): Promise<Session>;
  giveBack(session: Session): void;
  /** Closes those that are idle, and those that are still being opened as they come. Sessions can be leased again afterwards. */
  close(): Promise<void>;
}

export const createSessionPool = (address: Address, purpose: Purpose, signal: AbortSignal, applicationName?: string): SessionPool => {
  /** Ends what is still being opened when the pool is closed. */
  let closing = new AbortController();
  const opening = new Set<Promise<void>>();
  const open = async (): Promise<Session> => {
    const session = await openSession(address, purpose, AbortSignal.any([signal, closing.signal]));
    session.follow(signal);
    if (applicationName !== undefined) await session.query(`SET application_name = ${quoteLiteral(applicationName)}`);
    return session;
  };
  const idle: Session[] = [];
  const leased = new Set<Session>();
  const lessees: ((session: Session) => void)[] = [];

  /** To whoever waits longest: a pooler may let the connection that they asked for wait for one that is given back. */
  const offer = (session: Session): void => {
    const next = lessees.shift();
    if (next === undefined) idle.push(session);
    else next(session);
  };

  /** Where the server allows fewer than are asked for, some wait for others to be given back. */
  const openOrWait = (): Promise<Session> => {
    const { promise, resolve, reject } = Promise.withResolvers<Session>();
    lessees.push(resolve);
    const settled = whenThereIsRoom(address, AbortSignal.any([signal, closing.signal]), open, () => leased.size > 0).then(
      offer,
      (error: unknown) => {
        const at = lessees.indexOf(resolve);
        if (at < 0) return; // another was given back meanwhile
        lessees.splice(at, 1);
        reject(error);
      },
    );
    opening.add(settled);
    void settled.then(() => opening.delete(settled));
    return promise;
  };

  return {
    lease: async () => {
      signal.throwIfAborted();
      const session = idle.pop() ?? (await openOrWait());
      leased.add(session);
      void session.ended.then(() => {
        leased.delete(session);
        makeRoom(address);
      });
      return session;
    },
    giveBack: (session) => {
      leased.delete(session);
      offer(session);
    },
    close: async () => {
      closing.abort(new Error("the pool was closed"));
      closing = new AbortController();
      await Promise.all(opening);
      await Promise.all(idle.splice(0).map((session) => session.close()));
    },
  };
};
