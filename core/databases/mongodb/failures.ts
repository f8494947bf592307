import {
  MongoAPIError,
  MongoCompatibilityError,
  MongoError,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
} from "mongodb";
import { Failure, type FailureType } from "../../domain/failure.ts";
import type { Address } from "./address.ts";
import { isThrottled } from "./throttling.ts";

/**
 * Server error codes that mean something of their own here; the numbers are those of the server's `error_codes.yml`.
 * 8000 is Atlas's own wrapper and is told apart by its words.
 */
const types: Readonly<Record<number, FailureType>> = {
  6: "DatabaseUnreachable", // HostUnreachable
  7: "DatabaseUnreachable", // HostNotFound
  13: "PermissionMissing", // Unauthorized
  18: "AuthenticationRejected", // AuthenticationFailed
  26: "SourceChanged", // NamespaceNotFound
  43: "DatabaseUnreachable", // CursorNotFound: a restart, a failover or a timeout took the cursor away
  89: "DatabaseUnreachable", // NetworkTimeout
  91: "DatabaseUnreachable", // ShutdownInProgress
  175: "SourceChanged", // QueryPlanKilled: the collection was dropped or renamed under the cursor
  189: "DatabaseUnreachable", // PrimarySteppedDown
  239: "HoldLost", // SnapshotTooOld
  246: "SourceChanged", // SnapshotUnavailable: the collection's catalog entry is newer than the snapshot
  9001: "DatabaseUnreachable", // SocketException
  10107: "DatabaseUnreachable", // NotWritablePrimary
  11600: "DatabaseUnreachable", // InterruptedAtShutdown
  11602: "DatabaseUnreachable", // InterruptedDueToReplStateChange
  13435: "DatabaseUnreachable", // NotPrimaryNoSecondaryOk
};

const atlasType = (message: string): FailureType | undefined =>
  /bad auth|authentication failed/i.test(message)
    ? "AuthenticationRejected"
    : /not authorized|not allowed|unauthorized/i.test(message)
      ? "PermissionMissing"
      : undefined;

/** What the server said, cut before the first brace: what follows there is often a document or a key of the database. */
export const serverWords = (error: { code?: unknown; codeName?: unknown; errmsg?: unknown; message?: unknown }): string => {
  const name = typeof error.codeName === "string" ? error.codeName : "error";
  const text = String(error.errmsg ?? error.message ?? "")
    .split(/[{\n]/)[0]!
    .trim()
    .slice(0, 200);
  return `${name}${error.code === undefined ? "" : ` ${String(error.code)}`}${text === "" ? "" : `, ${text}`}`;
};

/** The failure that an error of driver or server means. `during` is a clause like `reading collection "a"`; `otherwise` is for server errors of no class of their own. */
export function mongoFailure(error: unknown, address: Address, during: string, otherwise: FailureType = "Unexpected"): Failure {
  if (error instanceof Failure) return error;
  const fail = (type: FailureType, why: string): Failure =>
    new Failure(type, address.scrub(`MongoDB at ${address.label}, ${during}: ${why}.`), { cause: error });
  if (error instanceof MongoServerError) {
    const type = error.code === 8000 ? atlasType(error.message) : types[Number(error.code)];
    if (type === "AuthenticationRejected") return fail(type, "the server rejected the user or the password");
    if (type === "PermissionMissing") return fail(type, `the user lacks a permission (${serverWords(error)})`);
    if (type === "HoldLost")
      return fail(type, "the server no longer keeps the history of the snapshot (minSnapshotHistoryWindowInSeconds)");
    // While restoring, a collection that is missing is the target's trouble, not a change of the source.
    if (type === "SourceChanged" && otherwise === "RestoreFailed") return fail(otherwise, serverWords(error));
    if (isThrottled(error)) return fail("DatabaseUnreachable", `the server throttles, and did so for a minute (${serverWords(error)})`);
    return fail(type ?? otherwise, serverWords(error));
  }
  // A server that is too old is found out while one is being selected.
  if (error instanceof MongoServerSelectionError && error.cause instanceof MongoCompatibilityError)
    return fail("EngineUnsupported", error.cause.message.replace(/\.$/, ""));
  if (error instanceof MongoCompatibilityError) return fail("EngineUnsupported", error.message.replace(/\.$/, ""));
  if (error instanceof MongoServerSelectionError || error instanceof MongoNetworkError)
    return fail("DatabaseUnreachable", error.message.replace(/\.$/, ""));
  if (isSystemError(error)) return fail("DatabaseUnreachable", error.message);
  if (error instanceof MongoAPIError || error instanceof MongoError) return fail(otherwise, error.message.replace(/\.$/, ""));
  return fail(otherwise, error instanceof Error ? error.name : typeof error);
}

/** Whether the server said that it, or the member asked, is going away: trying again helps. */
export const isUnreachable = ({ code }: MongoServerError): boolean => types[Number(code)] === "DatabaseUnreachable" && code !== 43;

/** A lookup or socket error of Node's own, such as the SRV lookup of a `mongodb+srv` URL gives. */
const isSystemError = (error: unknown): error is Error =>
  error instanceof Error && !(error instanceof MongoError) && typeof (error as { syscall?: unknown }).syscall === "string";
