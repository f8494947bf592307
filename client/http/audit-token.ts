import { createHash, randomBytes } from "node:crypto";

/**
 * What an auditor shows to the audit API: its id, so that people can tell tokens apart, and 32 random bytes. So much randomness cannot be
 * guessed from a plain hash, and the hash is all that is kept.
 */
export const makeAuditToken = (): { id: string; token: string } => {
  const id = `at-${randomBytes(4).toString("hex")}`;
  return { id, token: `dbgov-${id}-${randomBytes(32).toString("hex")}` };
};

export const hashAuditToken = (token: string): Uint8Array => createHash("sha256").update(token).digest();

export const isAuditToken = (text: string): boolean => /^dbgov-at-[0-9a-f]{8}-[0-9a-f]{64}$/.test(text);
