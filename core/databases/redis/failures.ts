import {
  ClientClosedError,
  ConnectionTimeoutError,
  DisconnectsClientError,
  ErrorReply,
  ReconnectStrategyError,
  SocketClosedUnexpectedlyError,
  SocketTimeoutError,
} from "@redis/client";
import { Failure, type FailureType } from "../../domain/failure.ts";
import type { Address } from "./address.ts";

/** Errors of the server by how they begin: the first word is the error's code in Redis's protocol. */
const types: readonly (readonly [RegExp, FailureType, string?])[] = [
  [/^WRONGPASS|^ERR invalid password|^ERR Client sent AUTH/i, "AuthenticationRejected", "the server rejected the user or the password"],
  [/^NOAUTH/, "AuthenticationRejected", "the server wants a password"],
  [/^NOPERM/, "PermissionMissing"],
  [/^DENIED/, "PermissionMissing", "the server is in protected mode and takes no connections from elsewhere without a password"],
  [/^LOADING/, "DatabaseUnreachable", "the server is still loading its data"],
  [/^BUSY/, "DatabaseUnreachable", "the server is busy with a script"],
  [/^MASTERDOWN|^ERR.*NOMASTERLINK|^NOMASTERLINK/, "DatabaseUnreachable", "the server is a replica whose primary is away"],
  [/^CLUSTERDOWN|^TRYAGAIN/, "DatabaseUnreachable"],
  [/^ERR max number of clients/, "DatabaseUnreachable"],
  [/^ERR max requests limit|^ERR.*quota/i, "CostCapExceeded"],
  [/^ERR DB index is out of range|^ERR invalid DB index/i, "DatabaseMissing", "the server has no logical database of that number"],
  [/^OOM/, "RestoreFailed", "the server has no memory left (maxmemory)"],
  [/^READONLY/, "RestoreFailed", "the server is a replica and takes no writes"],
  [/^MISCONF|^NOREPLICAS/, "RestoreFailed"],
];

/** What the server said, without the values that it may quote. */
const serverWords = (message: string): string =>
  message
    .split(/['"\n]/)[0]!
    .trim()
    .replace(/[.:,]$/, "")
    .slice(0, 200);

/** Whether the server does not have a command, or the user may not call it. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof ErrorReply &&
  /^NOPERM|unknown command|unknown subcommand|command is not available|not allowed|not supported|disabled/i.test(error.message);

/** The failure that an error of client or server means. `during` is a clause like `reading database 0`; `otherwise` is for server errors of no class of their own. */
export function redisFailure(error: unknown, address: Address, during: string, otherwise: FailureType = "Unexpected"): Failure {
  if (error instanceof Failure) return error;
  const fail = (type: FailureType, why: string): Failure =>
    new Failure(type, address.scrub(`Redis at ${address.label}, ${during}: ${why}.`), { cause: error });
  if (error instanceof ErrorReply) {
    const found = types.find(([begin]) => begin.test(error.message));
    if (found === undefined && isRefusal(error)) return fail("PermissionMissing", serverWords(error.message));
    return fail(found?.[1] ?? otherwise, found?.[2] ?? serverWords(error.message));
  }
  if (
    error instanceof SocketClosedUnexpectedlyError ||
    error instanceof ClientClosedError ||
    error instanceof DisconnectsClientError ||
    error instanceof ReconnectStrategyError
  )
    return fail("DatabaseUnreachable", "the server closed the connection");
  if (error instanceof ConnectionTimeoutError || error instanceof SocketTimeoutError)
    return fail("DatabaseUnreachable", "the server does not answer");
  if (isSystemError(error)) return fail("DatabaseUnreachable", error.code);
  return fail(otherwise, error instanceof Error ? error.name : typeof error);
}

/** A lookup, socket or TLS error of Node's own. */
const isSystemError = (error: unknown): error is Error & { code: string } =>
  error instanceof Error && typeof (error as { code?: unknown }).code === "string";
