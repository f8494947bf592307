import type { Address } from "./address.ts";
import { makeRoom, whenThereIsRoom } from "./connection-room.ts";
import type { Purpose } from "./failures.ts";
import { quoteLiteral } from "./quoting.ts";
import { openSession, type Session } from "./session.ts";

/** Sessions that are used again: whoever leases one gives it back when all went well, and closes it otherwise. */
export interface SessionPool {
  lease(): Promise<Session>;
  giveBack(session: Session): void;
  /** Closes those that are idle. */
  close(): Promise<void>;
}

export const createSessionPool = (address: Address, purpose: Purpose, signal: AbortSignal, applicationName?: string): SessionPool => {
  const open = async (): Promise<Session> => {
    const session = await openSession(address, purpose, signal);
    if (applicationName !== undefined) await session.query(`SET application_name = ${quoteLiteral(applicationName)}`);
    return session;
  };
  const idle: Session[] = [];
  const leased = new Set<Session>();
  return {
    // Where the server allows fewer than are asked for, some wait for others to be given back.
    lease: async () => {
      const session = await whenThereIsRoom(
        address,
        signal,
        async () => idle.pop() ?? (await open()),
        () => leased.size > 0,
      );
      leased.add(session);
      void session.ended.then(() => {
        leased.delete(session);
        makeRoom(address);
      });
      return session;
    },
    giveBack: (session) => {
      leased.delete(session);
      idle.push(session);
      makeRoom(address);
    },
    close: async () => {
      await Promise.all(idle.splice(0).map((session) => session.close()));
    },
  };
};
