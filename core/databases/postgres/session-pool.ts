import type { Address } from "./address.ts";
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
  return {
    lease: async () => idle.pop() ?? (await open()),
    giveBack: (session) => {
      idle.push(session);
    },
    close: async () => {
      await Promise.all(idle.splice(0).map((session) => session.close()));
    },
  };
};
